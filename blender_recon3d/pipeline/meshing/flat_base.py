"""A flat base for printing: the largest hole that faces down is closed by walls down to a plane, and by that plane.
numpy only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

DOWNWARD = 0.5  # cosine between the hole's normal and straight down
PLINTH = 0.02  # of the mesh's height, below its lowest point


def base_of(vertices: np.ndarray, loops: Sequence[Sequence[int] | np.ndarray]) -> tuple[int, float] | None:
    """The hole that becomes the base, as its index in `loops`, and the height of the base; None if none faces down.

    vertices [V, 3], z up; loops: each hole's vertices in the direction of the faces that would fill it.
    """
    best, largest = None, 0.0
    for number, loop in enumerate(loops):
        rim = vertices[np.asarray(loop)] - vertices[np.asarray(loop)].mean(axis=0)
        area = np.cross(rim, np.roll(rim, -1, axis=0)).sum(axis=0)
        size = float(np.linalg.norm(area))
        if size > largest and -area[2] > DOWNWARD * size:
            best, largest = number, size
    if best is None:
        return None
    low, high = float(vertices[:, 2].min()), float(vertices[:, 2].max())
    return best, low - PLINTH * (high - low)


def with_base(
    vertices: np.ndarray, faces: np.ndarray, loop: np.ndarray, height: float
) -> tuple[np.ndarray, np.ndarray]:
    """The mesh with walls from a hole down to a flat base: vertices and faces. See `base_of`."""
    count, along = len(vertices), np.arange(len(loop))
    feet = np.column_stack([vertices[loop][:, :2], np.full(len(loop), height)])
    middle = np.append(feet[:, :2].mean(axis=0), height)
    a, b = loop, np.roll(loop, -1)
    a_foot, b_foot = count + along, count + np.roll(along, -1)
    center = np.full(len(loop), count + len(loop))
    corners = ((a, b, b_foot), (a, b_foot, a_foot), (a_foot, b_foot, center))
    added = np.concatenate([np.stack(triangle, axis=1) for triangle in corners])
    return np.concatenate([vertices, feet, middle[None]]), np.concatenate([faces, added]).astype(np.int32)
