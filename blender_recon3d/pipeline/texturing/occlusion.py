"""Ambient occlusion: how much of the light from all around reaches each vertex.

The mesh is drawn into depth maps from directions all around; a vertex gets the light of those from which nothing hides
it, by the cosine to its normal.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ..events import Progress
from ..system.cpu import cores
from .choice import neighborhood
from .raster import draw

DIRECTIONS = 64
MAP_PIXELS = 640  # of a side
FAR = 50.0  # radii of the mesh: the rays are almost parallel
LIFT = 1.5  # pixels along the normal, so that a surface does not hide itself
SMOOTHING = 2  # rounds of averaging over neighboring vertices, against the steps between few directions
MAX_THREADS = 4  # each draws a map: 100 MB


def ambient_occlusion(
    vertices: np.ndarray, normals: np.ndarray, faces: np.ndarray, progress: Progress
) -> np.ndarray:
    """Shares of the light, float32 [V] in 0..1; 1 where nothing is in the way.

    vertices [V, 3] with unit normals [V, 3]; faces [F, 3]. Raises Cancelled.
    """
    middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    size = float(np.linalg.norm(vertices - middle, axis=1).max()) or 1.0
    placed = (vertices - middle) / size
    lifted = placed + normals * (LIFT * 2 / MAP_PIXELS)

    def light(direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        progress.check()
        cosine = np.clip(normals @ direction, 0, None).astype(np.float32)
        return cosine, cosine * _lit(placed, lifted, faces, direction)

    total, reached = np.zeros(len(vertices), np.float32), np.zeros(len(vertices), np.float32)
    with ThreadPoolExecutor(min(cores(), MAX_THREADS)) as pool:
        for cosine, lit in pool.map(light, directions(DIRECTIONS)):
            total += cosine
            reached += lit
    share = np.divide(reached, total, out=np.ones_like(total), where=total > 0)
    ring = neighborhood(faces, len(vertices))
    for _ in range(SMOOTHING):
        share = ring @ share
    return np.clip(share, 0, 1).astype(np.float32)


def directions(count: int) -> np.ndarray:
    """Unit vectors [count, 3], evenly distributed (a Fibonacci sphere)."""
    number = np.arange(count) + 0.5
    height, turn = 1 - 2 * number / count, np.pi * (1 + 5**0.5) * number
    around = np.sqrt(1 - height**2)
    return np.stack([around * np.cos(turn), around * np.sin(turn), height], axis=1)


def _lit(placed: np.ndarray, lifted: np.ndarray, faces: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """How much of a vertex is lit from a direction, float32 [V]; vertices within the unit sphere."""
    helper = np.eye(3)[np.abs(direction).argmin()]
    right = np.cross(direction, helper)
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(right, direction), -direction])  # looks along -direction
    away = np.array([0, 0, FAR])
    focal = 0.49 * MAP_PIXELS * (FAR - 1)
    intrinsics = np.array([[focal, 0, MAP_PIXELS / 2], [0, focal, MAP_PIXELS / 2], [0, 0, 1]])
    _, nearest = draw(placed @ rotation.T + away, faces, intrinsics, MAP_PIXELS, MAP_PIXELS)
    there = lifted @ rotation.T + away
    inverse = (1 / there[:, 2]).astype(np.float32)
    across, down = (focal * there[:, axis] * inverse + MAP_PIXELS / 2 - 0.5 for axis in range(2))
    column, row = np.floor(across).astype(np.int64), np.floor(down).astype(np.int64)
    right_share, down_share = (across - column).astype(np.float32), (down - row).astype(np.float32)
    lit = np.zeros(len(placed), np.float32)
    for step_down in (0, 1):
        for step_right in (0, 1):
            share = np.abs(1 - step_right - right_share) * np.abs(1 - step_down - down_share)
            at_row = np.clip(row + step_down, 0, MAP_PIXELS - 1)
            at_column = np.clip(column + step_right, 0, MAP_PIXELS - 1)
            lit += share * (nearest[at_row, at_column] <= inverse)
    return lit
