"""VisualSFM's .nvm, version 3."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...files.atomic_files import atomic_file
from ..camera_alignment import Alignment, quaternion_of
from .lens_terms import require_simple
from .written_tracks import tracks_of


def write(path: Path, alignment: Alignment) -> None:
    """Writes lenses without distortion: NVM's radial term is of another kind, which most readers ignore."""
    lines = ["NVM_V3", "", str(len(alignment.photos))]
    for photo in alignment.photos:
        terms = require_simple(photo.lens, "VisualSFM", radial=0, centered=True)
        rotation = photo.cam_from_world[:, :3]
        w, x, y, z = quaternion_of(rotation)
        center = -rotation.T @ photo.cam_from_world[:, 3]
        values = (terms.fx, w, x, y, z, *center, 0.0)
        name = photo.name.replace(" ", "_")
        lines.append(f"{name}\t{' '.join(repr(float(value)) for value in values)} 0")
    middle = [np.array([photo.lens.width, photo.lens.height]) / 2 for photo in alignment.photos]
    lines += ["", str(len(alignment.xyz))]
    for xyz, color, track in zip(alignment.xyz, alignment.colors, tracks_of(alignment), strict=True):
        seen = [
            f"{photo} {key} {float(x - middle[photo][0])!r} {float(y - middle[photo][1])!r}"
            for photo, key, x, y in track
        ]
        words = [
            *(repr(float(value)) for value in xyz),
            *(str(int(value)) for value in color),
            str(len(seen)),
            *seen,
        ]
        lines.append(" ".join(words))
    lines += ["", "0", ""]
    with atomic_file(path) as part:
        part.write_text("\n".join(lines), "utf-8")
