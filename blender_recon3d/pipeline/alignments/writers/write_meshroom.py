"""Meshroom's .sfm: views, intrinsics, poses, and the points with where they were seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ...files.atomic_files import atomic_file
from ..camera_alignment import Alignment, Lens
from .lens_terms import terms_of
from .written_tracks import tracks_of

_SENSOR = 36.0  # mm; lens and sensor are in millimeters in the file, but only their ratio matters


def write(path: Path, alignment: Alignment) -> None:
    """Numbers are strings, as in AliceVision; photos have their names in the alignment."""
    lenses = list(dict.fromkeys(photo.lens for photo in alignment.photos))
    views, poses = [], []
    for number, photo in enumerate(alignment.photos, 1):
        rotation = photo.cam_from_world[:, :3]
        center = -rotation.T @ photo.cam_from_world[:, 3]
        views.append({
            "viewId": str(number), "poseId": str(number), "intrinsicId": str(lenses.index(photo.lens) + 1),
            "path": photo.name, "width": str(photo.lens.width), "height": str(photo.lens.height), "metadata": {},
        })  # fmt: skip
        transform = {"rotation": _texts(rotation.T.ravel()), "center": _texts(center)}
        poses.append({"poseId": str(number), "pose": {"transform": transform, "locked": "0"}})
    points = [
        {
            "landmarkId": str(number), "descType": "sift", "color": [str(int(value)) for value in color],
            "X": _texts(xyz),
            "observations": [
                {"observationId": str(photo + 1), "featureId": str(key), "x": _texts((x, y)), "scale": "0"}
                for photo, key, x, y in track
            ],
        }
        for number, (xyz, color, track) in enumerate(
            zip(alignment.xyz, alignment.colors, tracks_of(alignment), strict=True)
        )
    ]  # fmt: skip
    document = {
        "version": ["1", "2", "5"], "featuresFolders": [], "matchesFolders": [], "views": views,
        "intrinsics": [_intrinsic(number, lens) for number, lens in enumerate(lenses, 1)], "poses": poses,
        "structure": points,
    }  # fmt: skip
    with atomic_file(path) as part:
        part.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def _intrinsic(number: int, lens: Lens) -> dict[str, Any]:
    terms = terms_of(lens, "Meshroom")
    kind = "fisheye4" if terms.fisheye else "brown" if terms.p1 or terms.p2 else "radial3"
    distortion = {"fisheye4": terms.radial, "brown": (*terms.radial[:3], terms.p1, terms.p2)}
    ratio = lens.width / lens.height
    return {
        "intrinsicId": str(number), "width": str(lens.width), "height": str(lens.height),
        "sensorWidth": repr(_SENSOR), "sensorHeight": repr(_SENSOR / ratio), "serialNumber": f"recon3d_{number}",
        "type": kind, "initializationMode": "calibrated",
        "initialFocalLength": repr(float(terms.fx * _SENSOR / lens.width)),
        "focalLength": repr(float(terms.fx * _SENSOR / lens.width)), "pixelRatio": repr(float(terms.fy / terms.fx)),
        "pixelRatioLocked": "true",
        "principalPoint": _texts((terms.cx - lens.width / 2, terms.cy - lens.height / 2)),
        "distortionParams": _texts(distortion.get(kind, terms.radial[:3])), "locked": "false",
    }  # fmt: skip


def _texts(values: Any) -> list[str]:
    return [repr(float(value)) for value in values]
