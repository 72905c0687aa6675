"""Rotations as matrices and as quaternions, in double precision. numpy only."""

from __future__ import annotations

import numpy as np


def rotation_of(quaternion: tuple[float, float, float, float]) -> np.ndarray:
    """Rotation matrix [3, 3] of a quaternion (w, x, y, z) of about unit length."""
    w, x, y, z = np.array(quaternion) / np.linalg.norm(quaternion)
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip


def nearest_rotation(matrix: np.ndarray) -> np.ndarray:
    """The rotation matrix nearest to a matrix [3, 3]."""
    u, _, v = np.linalg.svd(matrix)
    return u @ np.diag([1.0, 1.0, np.linalg.det(u @ v)]) @ v
