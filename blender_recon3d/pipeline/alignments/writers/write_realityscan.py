"""RealityScan's XMP files, one per photo, to be placed beside the photos."""

from __future__ import annotations

from pathlib import Path

from ...files.atomic_files import atomic_file
from ..camera_alignment import AlignedPhoto, Alignment
from .lens_terms import terms_of

_FRAME = 36.0  # mm
_TEXT = """<x:xmpmeta xmlns:x="adobe:ns:meta/">
  <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
    <rdf:Description xmlns:xcr="http://www.capturingreality.com/ns/xcr/1.1#" xcr:Version="3" xcr:PosePrior="initial"
       xcr:Coordinates="absolute" xcr:DistortionModel="{model}" xcr:FocalLength35mm="{focal!r}" xcr:Skew="0"
       xcr:AspectRatio="{aspect!r}" xcr:PrincipalPointU="{u!r}" xcr:PrincipalPointV="{v!r}"
       xcr:CalibrationPrior="initial" xcr:CalibrationGroup="-1" xcr:DistortionGroup="-1" xcr:InTexturing="1"
       xcr:InMeshing="1">
      <xcr:Rotation>{rotation}</xcr:Rotation>
      <xcr:Position>{position}</xcr:Position>
      <xcr:DistortionCoeficients>{distortion}</xcr:DistortionCoeficients>
    </rdf:Description>
  </rdf:RDF>
</x:xmpmeta>
"""


def write(path: Path, alignment: Alignment) -> None:
    """path: the folder of the files, named like the photos."""
    texts = {Path(photo.name).with_suffix(".xmp"): _text(photo) for photo in alignment.photos}
    path.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(target, lasting=False) as part:  # syncing hundreds of files takes seconds
            part.write_text(text, "utf-8")


def _text(photo: AlignedPhoto) -> str:
    lens = photo.lens
    terms = terms_of(lens, "RealityScan")
    longer = max(lens.width, lens.height)
    rotation = photo.cam_from_world[:, :3]
    center = -rotation.T @ photo.cam_from_world[:, 3]
    distortion = (*terms.radial, terms.p2, terms.p1)
    model = "perspective" if not any(distortion) else "brown3t2" if terms.p1 or terms.p2 else "brown3"
    return _TEXT.format(
        model=model,
        focal=float(terms.fx * _FRAME / longer),
        aspect=float(terms.fy / terms.fx),
        u=float((terms.cx - lens.width / 2) / longer),
        v=float((terms.cy - lens.height / 2) / longer),
        rotation=" ".join(repr(float(value)) for value in rotation.ravel()),
        position=" ".join(repr(float(value)) for value in center),
        distortion=" ".join(repr(float(value)) for value in distortion),
    )
