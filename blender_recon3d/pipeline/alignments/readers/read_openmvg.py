"""OpenMVG: sfm_data.json (openMVG/sfm/sfm_data_io_cereal.cpp). Rotation is world to camera."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FileFormatError
from ..camera_alignment import AlignedPhoto, Alignment, Lens, Sizes, pose, with_points
from ..lenses import brown, fisheye
from .source_files import read_json

_FIRST = 1 << 31  # cereal's bit of a polymorphic id that is named here for the first time


def read(path: Path, sizes: Sizes) -> Alignment:
    document = read_json(path)
    if not isinstance(document, dict) or "sfm_data_version" not in document or "views" not in document:
        raise FileFormatError(path, "it is not OpenMVG's sfm_data.json (no sfm_data_version)")
    try:
        return _read(document)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        version = document.get("sfm_data_version")
        raise FileFormatError(
            path, f"its version {version} is not supported, or it is damaged ({error})"
        ) from error


def _read(document: Mapping[str, Any]) -> Alignment:
    lenses: dict[int, Lens | str] = {}
    names: dict[int, str] = {}
    for entry in document["intrinsics"]:
        number = int(entry["value"]["polymorphic_id"])
        if "polymorphic_name" in entry["value"]:
            names[number & ~_FIRST] = str(entry["value"]["polymorphic_name"])
        lenses[entry["key"]] = _lens(names[number & ~_FIRST], entry["value"]["ptr_wrapper"]["data"])
    poses = {entry["key"]: entry["value"] for entry in document["extrinsics"]}
    photos: list[AlignedPhoto] = []
    place: dict[int, int] = {}
    notes: list[str] = []
    for entry in document["views"]:
        view = entry["value"]["ptr_wrapper"]["data"]
        extrinsics, lens = poses.get(view["id_pose"]), lenses.get(view["id_intrinsic"])
        if extrinsics is None:
            continue
        if not isinstance(lens, Lens):
            notes.append(f"Photos with the lens model {lens} are left out.")
            continue
        rotation, center = (
            np.array(extrinsics["rotation"], np.float64),
            np.array(extrinsics["center"], np.float64),
        )
        folder = str(view.get("local_path") or "").replace("\\", "/").strip("/")
        name = f"{folder}/{view['filename']}" if folder else str(view["filename"])
        place[view["id_view"]] = len(photos)
        photos.append(AlignedPhoto(name, lens, pose(rotation.reshape(3, 3), center.reshape(3))))
    xyz: list[list[float]] = []
    seen: list[tuple[int, int, float, float]] = []
    for entry in document.get("structure") or ():
        for each in entry["value"]["observations"]:
            photo = place.get(each["key"])
            if photo is not None:
                x, y = (float(value) for value in each["value"]["x"])
                seen.append((len(xyz), photo, x, y))
        xyz.append([float(value) for value in entry["value"]["X"]])
    points = with_points(xyz, [[128, 128, 128]] * len(xyz), seen)
    return Alignment("OpenMVG", photos, **points, notes=tuple(dict.fromkeys(notes)))


def _lens(name: str, data: Mapping[str, Any]) -> Lens | str:
    """The lens, or the name of its model if that is unknown. Some versions nest a class in its base class."""
    if not name.startswith("pinhole") and name != "fisheye":
        return name
    while isinstance(data.get("value0"), dict):
        own = {key: value for key, value in data.items() if key != "value0"}
        data = {**data["value0"], **own}
    size = int(data["width"]), int(data["height"])
    focal = (float(data["focal_length"]),) * 2
    x, y = (float(value) for value in data["principal_point"])
    if name == "fisheye":
        return fisheye(size, focal, (x, y), [float(value) for value in data["fisheye"]])
    for key in ("disto_k1", "disto_k3"):
        if key in data:
            return brown(size, focal, (x, y), [float(value) for value in data[key]])
    if "disto_t2" in data:
        k1, k2, k3, t1, t2 = (float(value) for value in data["disto_t2"])
        return brown(size, focal, (x, y), (k1, k2, k3), (t1, t2))
    return brown(size, focal, (x, y))
