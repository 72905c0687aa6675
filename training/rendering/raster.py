"""Finds the triangle seen by each pixel of a pinhole camera: a z-buffer over whole arrays, in numpy.

Pixels: the first pixel's center is (0, 0). Inverse depth and everything divided by depth are linear in pixels, so a
triangle is a plane there and its depth at a pixel's center is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEAR = 1e-3  # of the scene's unit; triangles that reach nearer than this are left out


@dataclass
class Visible:
    """The visible triangles.

    face: int32 [H, W], the triangle, or -1; inverse_depth: float64 [H, W], 0 if there is none; weights: float64 [N, 3],
    barycentric and perspective-correct, of the N pixels with a triangle in the order of `face[face >= 0]`;
    magnification: float64 [F], pixels covered by a triangle, 0 if it is not rendered.
    """

    face: np.ndarray
    inverse_depth: np.ndarray
    weights: np.ndarray
    magnification: np.ndarray


def project(points: np.ndarray, intrinsics: np.ndarray, cam_from_world: np.ndarray) -> np.ndarray:
    """World points [N, 3] as (x, y, z): pixel and depth along the optical axis, float64 [N, 3]."""
    camera = points.astype(np.float64) @ cam_from_world[:, :3].T + cam_from_world[:, 3]
    depth = camera[:, 2:]
    safe = np.where(np.abs(depth) < NEAR, NEAR, depth)
    pixels = (camera / safe) @ intrinsics.T
    return np.concatenate([pixels[:, :2], depth], axis=1)


def rasterize(projected: np.ndarray, faces: np.ndarray, size: tuple[int, int]) -> Visible:
    """The nearest triangle at every pixel of an image of size (width, height).

    projected: [V, 3] from `project`; faces: int [F, 3], counterclockwise seen from outside: back faces are not
    rendered.
    """
    width, height = size
    corners = projected[faces]  # [F, 3, (x, y, z)]
    x, y, z = corners[..., 0], corners[..., 1], corners[..., 2]
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    drawn = (z.min(axis=1) > NEAR) & (area < -1e-12)  # y points down, which reverses the orientation
    drawn &= (x.max(axis=1) >= 0) & (x.min(axis=1) <= width - 1)
    drawn &= (y.max(axis=1) >= 0) & (y.min(axis=1) <= height - 1)
    index = np.flatnonzero(drawn)
    magnification = np.zeros(len(faces))
    magnification[index] = -area[index] / 2
    plane = _planes(x[index], y[index], 1 / z[index])

    owner, columns, rows = _covered(x[index], y[index], width, height)
    chosen = plane[owner]
    inverse = chosen[:, 0] * columns + chosen[:, 1] * rows + chosen[:, 2]
    pixel = rows * width + columns
    nearest = np.zeros(width * height)
    np.maximum.at(nearest, pixel, inverse)
    wins = inverse >= nearest[pixel]
    face = np.full(width * height, -1, np.int64)
    face[pixel[wins]] = owner[wins]

    seen = np.flatnonzero(face >= 0)
    local = face[seen]
    weights = _barycentric(x[index], y[index], z[index], local, seen % width, seen // width, nearest[seen])
    face[seen] = index[local]
    return Visible(
        face.reshape(height, width).astype(np.int32), nearest.reshape(height, width), weights, magnification
    )


def _planes(x: np.ndarray, y: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Coefficients [F, 3] of the planes a x + b y + c through values [F, 3] at the corners."""
    x1, x2 = x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]
    y1, y2 = y[:, 1] - y[:, 0], y[:, 2] - y[:, 0]
    v1, v2 = values[:, 1] - values[:, 0], values[:, 2] - values[:, 0]
    determinant = x1 * y2 - x2 * y1
    a = (v1 * y2 - v2 * y1) / determinant
    b = (x1 * v2 - x2 * v1) / determinant
    return np.stack([a, b, values[:, 0] - a * x[:, 0] - b * y[:, 0]], axis=1)


def _covered(
    x: np.ndarray, y: np.ndarray, width: int, height: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All pixels of all triangles: the triangle, column and row of each, by spans of rows."""
    top = np.maximum(np.ceil(y.min(axis=1)), 0).astype(np.int64)
    bottom = np.minimum(np.floor(y.max(axis=1)), height - 1).astype(np.int64)
    owner, offset = _ragged(bottom - top + 1)
    row = top[owner] + offset
    left = np.full(len(owner), np.inf)
    right = np.full(len(owner), -np.inf)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        ya, yb = y[owner, a], y[owner, b]
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (row - ya) / (yb - ya)
            crossing = x[owner, a] + t * (x[owner, b] - x[owner, a])
        hit = (t >= 0) & (t <= 1)
        left = np.where(hit, np.minimum(left, crossing), left)
        right = np.where(hit, np.maximum(right, crossing), right)
    found = left <= right
    owner, row, left, right = owner[found], row[found], left[found], right[found]
    first = np.maximum(np.ceil(left), 0).astype(np.int64)
    last = np.minimum(np.floor(right), width - 1).astype(np.int64)
    span, offset = _ragged(last - first + 1)
    return owner[span], first[span] + offset, row[span]


def _ragged(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For counts [N]: the index i repeated counts[i] times, and 0, 1, ... within each run."""
    counts = np.maximum(counts, 0)
    owner = np.repeat(np.arange(len(counts)), counts)
    starts = np.cumsum(counts) - counts
    return owner, np.arange(len(owner)) - starts[owner]


def _barycentric(
    x: np.ndarray,
    y: np.ndarray,
    z: np.ndarray,
    face: np.ndarray,
    columns: np.ndarray,
    rows: np.ndarray,
    inverse: np.ndarray,
) -> np.ndarray:
    """Perspective-correct weights [N, 3] of the corners at pixels (columns, rows) of triangles `face`."""
    result = np.empty((len(face), 3))
    for corner in range(3):
        values = np.zeros((len(x), 3))
        values[:, corner] = 1 / z[:, corner]
        plane = _planes(x, y, values)[face]
        result[:, corner] = (plane[:, 0] * columns + plane[:, 1] * rows + plane[:, 2]) / inverse
    return result
