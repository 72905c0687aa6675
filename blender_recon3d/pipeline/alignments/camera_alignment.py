"""The common type of all readers and writers: an alignment in COLMAP's conventions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np

# Width and height of a photo's pixels as stored, by its name in a project; None if the photo is missing.
Sizes = Callable[[str], tuple[int, int] | None]


@dataclass(frozen=True)
class Lens:
    """Intrinsics: a camera model of COLMAP's with its parameters, in pixels; the first pixel's center is (0.5, 0.5).

    fit_error: the largest error, pixels, if the program's own model could only be approximated; 0 if exact.
    """

    model: str
    width: int
    height: int
    params: tuple[float, ...]
    fit_error: float = 0.0


@dataclass(frozen=True, eq=False)
class AlignedPhoto:
    """name: as in the project, folders separated by "/". cam_from_world: float64 [3, 4], x right, y down, z forward."""

    name: str
    lens: Lens
    cam_from_world: np.ndarray


@dataclass(frozen=True, eq=False)
class Alignment:
    """program: display name. xyz: float64 [P, 3]; colors: uint8 [P, 3].

    point, photo: int64 [O], pixel: float64 [O, 2]: the observations; photo is an index into `photos`.
    notes: messages on what was skipped. unnamed: whether the project does not identify its photos. assumed_size:
    whether it does not give their size either, so that the size of ours was assumed.
    """

    program: str
    photos: list[AlignedPhoto]
    xyz: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    colors: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), np.uint8))
    point: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    photo: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    pixel: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    notes: tuple[str, ...] = ()
    unnamed: bool = False
    assumed_size: bool = False


class PointFields(TypedDict, total=False):
    """The fields of an Alignment for its points."""

    xyz: np.ndarray
    colors: np.ndarray
    point: np.ndarray
    photo: np.ndarray
    pixel: np.ndarray


def with_points(
    xyz: list[list[float]], colors: list[list[int]], seen: list[tuple[int, int, float, float]]
) -> PointFields:
    """The fields of an Alignment's points. seen: point, photo, x, y of each observation."""
    table = np.array(seen, np.float64).reshape(-1, 4)
    return {
        "xyz": np.array(xyz, np.float64).reshape(-1, 3),
        "colors": np.array(colors, np.uint8).reshape(-1, 3),
        "point": table[:, 0].astype(np.int64),
        "photo": table[:, 1].astype(np.int64),
        "pixel": table[:, 2:],
    }


def pose(rotation: np.ndarray, center: np.ndarray) -> np.ndarray:
    """cam_from_world [3, 4] of a rotation world to camera [3, 3] and the camera's center [3]."""
    return np.column_stack([rotation, -rotation @ center])


def rotation_of(w: float, x: float, y: float, z: float) -> np.ndarray:
    """Rotation matrix [3, 3] of a quaternion of any length but 0."""
    w, x, y, z = np.array([w, x, y, z]) / np.linalg.norm([w, x, y, z])
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def quaternion_of(r: np.ndarray) -> tuple[float, float, float, float]:
    """(w, x, y, z) of a rotation: the eigenvector of the largest eigenvalue (Bar-Itzhack, 2000)."""
    k = np.array([
        [r[0, 0] - r[1, 1] - r[2, 2], r[1, 0] + r[0, 1], r[2, 0] + r[0, 2], r[2, 1] - r[1, 2]],
        [r[1, 0] + r[0, 1], r[1, 1] - r[0, 0] - r[2, 2], r[2, 1] + r[1, 2], r[0, 2] - r[2, 0]],
        [r[2, 0] + r[0, 2], r[2, 1] + r[1, 2], r[2, 2] - r[0, 0] - r[1, 1], r[1, 0] - r[0, 1]],
        [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], np.trace(r)],
    ])  # fmt: skip
    x, y, z, w = np.linalg.eigh(k)[1][:, -1]
    sign = -1.0 if w < 0 else 1.0
    return float(sign * w), float(sign * x), float(sign * y), float(sign * z)
