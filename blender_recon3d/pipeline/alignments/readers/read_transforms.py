"""nerfstudio and instant-ngp: transforms.json. transform_matrix is camera to world, y up, z back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FileFormatError
from ..camera_alignment import AlignedPhoto, Alignment, Lens, Sizes
from ..lenses import brown, fisheye
from .source_files import read_json

_MODELS = ("OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV_FISHEYE")


def read(path: Path, sizes: Sizes) -> Alignment:
    document = read_json(path)
    if not isinstance(document, dict) or not isinstance(document.get("frames"), list):
        raise FileFormatError(path, "it is not a transforms.json (no frames)")
    photos, missing = [], 0
    try:
        for frame in document["frames"]:
            name = str(frame["file_path"])
            merged = {**document, **frame}
            size = (
                (int(merged["w"]), int(merged["h"])) if merged.get("w") and merged.get("h") else sizes(name)
            )
            if size is None:
                missing += 1
                continue
            world_from_cam = np.array(frame["transform_matrix"], np.float64)[:3, :4] @ np.diag(
                [1.0, -1, -1, 1]
            )
            rotation = world_from_cam[:, :3] / np.linalg.norm(world_from_cam[:, :3], axis=0)
            if np.linalg.det(rotation) < 0:
                raise ValueError("transform_matrix mirrors")
            pose = np.column_stack([rotation.T, -rotation.T @ world_from_cam[:, 3]])
            photos.append(AlignedPhoto(name, _lens(merged, size, path), pose))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise FileFormatError(
            path, f"a frame is not in the format of nerfstudio and instant-ngp ({error})"
        ) from error
    notes = (f"{missing} photos are not among the given ones and are left out.",) if missing else ()
    return Alignment("transforms.json", photos, notes=notes)


def _lens(values: Mapping[str, Any], size: tuple[int, int], path: Path) -> Lens:
    model = str(values.get("camera_model") or "OPENCV").upper()
    model = {"PERSPECTIVE": "OPENCV", "FISHEYE": "OPENCV_FISHEYE"}.get(model, model)
    if model not in _MODELS:
        raise FileFormatError(path, f"its camera_model {model} is not supported")
    width, height = size
    fx = float(values.get("fl_x") or 0) or width / 2 / math.tan(float(values["camera_angle_x"]) / 2)
    fy = float(values.get("fl_y") or 0)
    if not fy:
        fy = height / 2 / math.tan(float(values["camera_angle_y"]) / 2) if "camera_angle_y" in values else fx
    center = float(values.get("cx", width / 2)), float(values.get("cy", height / 2))
    radial = [float(values.get(name) or 0) for name in ("k1", "k2", "k3", "k4")]
    if model == "OPENCV_FISHEYE" or values.get("is_fisheye"):
        return fisheye(size, (fx, fy), center, radial)
    return brown(size, (fx, fy), center, radial, (float(values.get("p1") or 0), float(values.get("p2") or 0)))
