"""OpenSfM (and OpenDroneMap): reconstruction.json, and tracks.csv beside it if present.

Focal lengths and coordinates are relative to the longer side, from the middle; a shot's rotation (an axis times an
angle) and translation are world to camera. https://opensfm.org/docs/geometry.html
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.polynomial.polynomial import polyval

from ...errors import FileFormatError
from ..camera_alignment import AlignedPhoto, Alignment, Lens, PointFields, Sizes, with_points
from ..lenses import brown, fisheye, fisheye_of
from .source_files import read_json, read_text


def read(path: Path, sizes: Sizes) -> Alignment:
    document = read_json(path)
    models = document if isinstance(document, list) else [document]
    if not models or not all(isinstance(each, dict) and {"cameras", "shots"} <= set(each) for each in models):
        raise FileFormatError(path, "it is not OpenSfM's reconstruction.json (no cameras and shots)")
    model = max(models, key=lambda each: len(each["shots"]))
    notes = []
    if len(models) > 1:
        notes.append(f"The project has {len(models)} separate models: the one with the most photos is taken.")
    try:
        lenses = {name: _lens(camera) for name, camera in model["cameras"].items()}
        photos = []
        for name, shot in model["shots"].items():
            lens = lenses[shot["camera"]]
            if isinstance(lens, str):
                notes.append(f"Photos with the lens model {lens} are left out.")
                continue
            rotation = rotation_about(np.array(shot["rotation"], np.float64).reshape(3))
            translation = np.array(shot.get("translation", [0.0, 0.0, 0.0]), np.float64).reshape(3)
            photos.append(AlignedPhoto(name, lens, np.column_stack([rotation, translation])))
        points = _points(model, photos, path.with_name("tracks.csv"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileFormatError(
            path, f"it is not an OpenSfM reconstruction that Recon3D can read ({error})"
        ) from error
    return Alignment("OpenSfM", photos, **points, notes=tuple(dict.fromkeys(notes)))


def rotation_about(vector: np.ndarray) -> np.ndarray:
    """Rotation matrix [3, 3] of an axis times an angle in radians (Rodrigues)."""
    angle = float(np.linalg.norm(vector))
    if angle == 0:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)


def _lens(camera: Mapping[str, Any]) -> Lens | str:
    """The lens, or the name of its model if that is unknown."""
    kind = str(camera.get("projection_type", "perspective"))
    size = int(camera["width"]), int(camera["height"])
    longer = max(size)

    def value(name: str) -> float:
        return float(camera.get(name) or 0.0)

    one = value("focal") or value("focal_x")
    other = value("focal_y") or one * (value("aspect_ratio") or 1.0)
    if one <= 0:
        return f"{kind}, without a focal length,"
    focal = (one * longer, other * longer)
    center = (size[0] / 2 + value("c_x") * longer, size[1] / 2 + value("c_y") * longer)
    radial = [value(name) for name in ("k1", "k2", "k3", "k4")]
    if kind in ("perspective", "radial", "simple_radial", "brown"):
        return brown(size, focal, center, radial[:3], (value("p1"), value("p2")))
    if kind in ("fisheye", "fisheye_opencv"):
        return fisheye(size, focal, center, radial)
    if kind == "fisheye62" and not (value("p1") or value("p2")):
        terms = [0.0, 1.0, *(term for n in range(1, 7) for term in (0.0, value(f"k{n}")))]
        return fisheye_of(size, focal, center, lambda angle: np.asarray(polyval(angle, terms)))
    return kind


def _points(model: Mapping[str, Any], photos: list[AlignedPhoto], tracks: Path) -> PointFields:
    """The points with observations in tracks.csv; without it they cannot be used."""
    if not tracks.is_file():
        return {}
    place = {photo.name: number for number, photo in enumerate(photos)}
    ids = {name: number for number, name in enumerate(model.get("points") or {})}
    seen = []
    for line in read_text(tracks).splitlines():
        words = line.split("\t")
        if len(words) < 5 or words[0] not in place or words[1] not in ids:
            continue  # the line with the version, and what is not in this model
        photo = place[words[0]]
        lens = photos[photo].lens
        longer = max(lens.width, lens.height)
        x, y = (float(word) * longer for word in words[3:5])
        seen.append((ids[words[1]], photo, x + lens.width / 2, y + lens.height / 2))
    points = list((model.get("points") or {}).values())
    colors = [[int(value) for value in point.get("color") or (128, 128, 128)] for point in points]
    return with_points([list(map(float, point["coordinates"])) for point in points], colors, seen)
