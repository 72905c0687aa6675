"""Convert cameras of photos as stored to cameras of the upright photos in the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .camera_alignment import Lens

# EXIF orientations: the rotation of (x, y), y down, that makes a photo upright. Mirrored photos are not supported.
TURNS = {
    3: np.array([[-1.0, 0], [0, -1]]),
    6: np.array([[0.0, -1], [1, 0]]),
    8: np.array([[0.0, 1], [-1, 0]]),
}


def turn_lens(lens: Lens, names: Sequence[str], turn: np.ndarray) -> Lens:
    """The lens after the photo is rotated. names: of its parameters, as in COLMAP."""
    params = dict(zip(names, lens.params, strict=True))
    size = np.abs(turn) @ np.array([lens.width, lens.height], np.float64)
    center = turn_pixels(np.array([[params["cx"], params["cy"]]]), (lens.width, lens.height), turn)[0]
    params["cx"], params["cy"] = center
    if "fx" in params:
        params["fx"], params["fy"] = np.abs(turn) @ np.array([params["fx"], params["fy"]])
    if "p1" in params:  # (p2, p1) turns as a vector does: the shift is 2 (q . x) x + r^2 q
        params["p2"], params["p1"] = turn @ np.array([params["p2"], params["p1"]])
    if "sx1" in params:
        params["sx1"], params["sy1"] = turn @ np.array([params["sx1"], params["sy1"]])
    return replace(
        lens, width=int(size[0]), height=int(size[1]), params=tuple(float(v) for v in params.values())
    )


def turn_pixels(pixel: np.ndarray, size: tuple[int, int], turn: np.ndarray) -> np.ndarray:
    """Pixels [N, 2] in the rotated photo. size: width and height before."""
    half = np.array(size, np.float64) / 2
    return (pixel - half) @ turn.T + np.abs(turn) @ half


def turn_pose(cam_from_world: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """[3, 4]."""
    whole = np.eye(3)
    whole[:2, :2] = turn
    return whole @ cam_from_world
