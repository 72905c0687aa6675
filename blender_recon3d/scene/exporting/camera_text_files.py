"""Cameras for VFX in text formats: Nuke's .chan and glTF. numpy only."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from ..blender_lens import Pinhole

Y_UP = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])  # from z up


@dataclass(frozen=True, eq=False)
class FilmCamera:
    """A camera in the world, z up, meters. matrix: pose [4, 4], looking along -z with y up. near, far: clipping
    distances, meters."""

    name: str
    matrix: np.ndarray
    pinhole: Pinhole
    near: float
    far: float

    @property
    def centered(self) -> bool:
        p = self.pinhole
        return abs(p.cx - p.width / 2) < 0.5 and abs(p.cy - p.height / 2) < 0.5

    @property
    def vertical_view(self) -> float:
        """Radians."""
        return 2 * math.atan(self.pinhole.height / 2 / self.pinhole.fy)

    def as_json(self) -> dict[str, Any]:
        """For another process."""
        return {**vars(self), "matrix": self.matrix.tolist(), "pinhole": asdict(self.pinhole)}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Self:
        """The inverse of `as_json`."""
        return cls(**{**raw, "matrix": np.array(raw["matrix"]), "pinhole": Pinhole(**raw["pinhole"])})


def chan_text(cameras: Sequence[FilmCamera]) -> str:
    """Nuke's .chan, y up: frame, location, rotation in degrees, vertical field of view; a frame per camera, from 1.

    Rotations are for Nuke's default order ZXY: first about z, then x, then y.
    """
    lines = []
    for frame, camera in enumerate(cameras, 1):
        matrix = Y_UP @ camera.matrix
        r = matrix[:3, :3]
        about_x = math.asin(max(-1.0, min(1.0, -r[1, 2])))
        about_y, about_z = math.atan2(r[0, 2], r[2, 2]), math.atan2(r[1, 0], r[1, 1])
        angles = (about_x, about_y, about_z, camera.vertical_view)
        values = [*matrix[:3, 3].tolist(), *(math.degrees(angle) for angle in angles)]
        lines.append(" ".join([str(frame), *(f"{value:.9g}" for value in values)]))
    return "\n".join(lines) + "\n"


def marker_text(cameras: Sequence[FilmCamera]) -> str:
    """The photo of each frame of the animated camera, as CSV, for formats without markers."""
    return "frame,photo\n" + "".join(f'{n},"{each.name}"\n' for n, each in enumerate(cameras, 1))


def gltf_text(cameras: Sequence[FilmCamera]) -> str:
    """glTF 2.0 with a node for each camera. glTF has no film back or principal point: these are in `extras`, in
    pixels."""
    nodes: list[dict[str, Any]] = []
    lenses = []
    for number, camera in enumerate(cameras):
        p = camera.pinhole
        nodes.append({
            "name": camera.name, "camera": number, "matrix": (Y_UP @ camera.matrix).T.ravel().tolist(),
            "extras": asdict(p),
        })  # fmt: skip
        lenses.append({
            "name": camera.name, "type": "perspective",
            "perspective": {
                "yfov": camera.vertical_view, "aspectRatio": (p.width / p.fx) / (p.height / p.fy),
                "znear": camera.near, "zfar": camera.far,
            },
        })  # fmt: skip
    document = {
        "asset": {"version": "2.0", "generator": "Recon3D"}, "scene": 0,
        "scenes": [{"nodes": list(range(len(nodes)))}], "nodes": nodes, "cameras": lenses,
    }  # fmt: skip
    return json.dumps(document, indent=1) + "\n"
