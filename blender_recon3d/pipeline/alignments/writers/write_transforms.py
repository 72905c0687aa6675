"""transforms.json for nerfstudio, with the points beside it, and for instant-ngp."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...files.atomic_files import atomic_file
from ..camera_alignment import Alignment
from .lens_terms import terms_of

_FLIP = np.diag([1.0, -1.0, -1.0, 1.0])  # between COLMAP's and OpenGL's camera axes
POINTS = "sparse_pc.ply"  # nerfstudio's own name


def write(path: Path, alignment: Alignment, masks: Mapping[str, str] | None = None) -> None:
    """masks: their paths, relative to the file, by the photos' names."""
    frames = []
    for photo in alignment.photos:
        terms = terms_of(photo.lens, "nerfstudio")
        world_from_cam = np.linalg.inv(np.vstack([photo.cam_from_world, [0, 0, 0, 1]])) @ _FLIP
        k1, k2, k3, k4 = terms.radial
        frames.append({
            "file_path": photo.name, "transform_matrix": world_from_cam.tolist(),
            "camera_model": "OPENCV_FISHEYE" if terms.fisheye else "OPENCV",
            "fl_x": terms.fx, "fl_y": terms.fy, "cx": terms.cx, "cy": terms.cy, "w": photo.lens.width,
            "h": photo.lens.height, "k1": k1, "k2": k2, "k3": k3, "k4": k4, "p1": terms.p1, "p2": terms.p2,
        })  # fmt: skip
    for frame in frames:
        if masks and frame["file_path"] in masks:
            frame["mask_path"] = masks[frame["file_path"]]
    first = frames[0] if frames else {}
    document: dict[str, Any] = {
        "camera_model": first.get("camera_model", "OPENCV"),
        "aabb_scale": 16,
        "frames": frames,
    }
    if frames:  # instant-ngp wants a field of view for all
        document["camera_angle_x"] = float(2 * np.arctan(first["w"] / 2 / first["fl_x"]))
    if len(alignment.xyz):
        points = POINTS if path.name == "transforms.json" else f"{path.stem}_points.ply"
        document["ply_file_path"] = points
        _write_points(path.with_name(points), alignment)
    with atomic_file(path) as part:
        part.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def _write_points(path: Path, alignment: Alignment) -> None:
    colors = ("red", "green", "blue")
    table = np.empty(
        len(alignment.xyz), [*((name, "<f4") for name in "xyz"), *((name, "u1") for name in colors)]
    )
    for axis, name in enumerate("xyz"):
        table[name] = alignment.xyz[:, axis]
    for channel, name in enumerate(colors):
        table[name] = alignment.colors[:, channel]
    kinds = [f"property float {name}" for name in "xyz"] + [
        f"property uchar {c}" for c in ("red", "green", "blue")
    ]
    header = [
        "ply",
        "format binary_little_endian 1.0",
        f"element vertex {len(table)}",
        *kinds,
        "end_header",
        "",
    ]
    with atomic_file(path) as part:
        part.write_bytes("\n".join(header).encode() + table.tobytes())
