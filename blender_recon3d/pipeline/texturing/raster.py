"""Rasterizes triangles in numpy: the rows of all triangles at once, so that no pixel is tested needlessly.

A pixel belongs to a triangle if its center (column + 0.5, row + 0.5) does; of two triangles with a common edge exactly
one gets a center on it, so that surfaces have no cracks.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

NOTHING = -1  # in a map of faces
NEAREST = 1e-4  # of the farthest depth; closer points count as behind the camera
CHUNK_PIXELS = 2_000_000  # approximate number rasterized at once: 100 bytes each
CHUNK_ROWS = 1_000_000  # rows of triangles processed at once


def pixels_of_triangles(
    corners: np.ndarray, width: int, height: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The pixels of triangles, in chunks of (triangle, column, row), each int64 [P], in the triangles' order.

    corners: [F, 3, 2] pixels (x, y), finite. The result is clipped to width x height.
    """
    rows_of = _row_range(corners, height)
    ends = np.cumsum(rows_of[1])
    first = 0
    while first < len(corners):
        start = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, start + CHUNK_ROWS, side="right")))
        chunk = slice(first, last)
        for triangle, left, length, row in _spans(
            corners[chunk], rows_of[0][chunk], rows_of[1][chunk], width
        ):
            which, step = ranges(length)
            yield triangle[which] + first, left[which] + step, row[which]
        first = last


def ranges(lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For items of these lengths: the item of each element, and the element's index within the item."""
    which = np.repeat(np.arange(len(lengths)), lengths)
    starts = np.cumsum(lengths) - lengths
    return which, np.arange(len(which)) - starts[which]


def _row_range(corners: np.ndarray, height: int) -> tuple[np.ndarray, np.ndarray]:
    """First row and number of rows of each triangle."""
    low = np.clip(np.ceil(corners[:, :, 1].min(axis=1) - 0.5), 0, height).astype(np.int64)
    high = np.clip(np.ceil(corners[:, :, 1].max(axis=1) - 0.5), 0, height).astype(np.int64)
    return low, high - low


def _spans(
    corners: np.ndarray, first_row: np.ndarray, row_count: np.ndarray, width: int
) -> Iterator[tuple[np.ndarray, ...]]:
    """Runs of pixels (triangle, leftmost column, length, row) in chunks of about CHUNK_PIXELS."""
    triangle, step = ranges(row_count)
    row = first_row[triangle] + step
    order = np.argsort(corners[:, :, 1], axis=1, kind="stable")
    top, middle, bottom = (
        np.take_along_axis(corners, order[:, k, None, None], axis=1)[:, 0][triangle] for k in range(3)
    )
    y = row + 0.5
    upper = y < middle[:, 1]
    one = _crossing(top, bottom, y)
    other = np.where(upper, _crossing(top, middle, y), _crossing(middle, bottom, y))
    left = np.clip(np.ceil(np.minimum(one, other) - 0.5), 0, width).astype(np.int64)
    length = np.clip(np.ceil(np.maximum(one, other) - 0.5), 0, width).astype(np.int64) - left
    some = length > 0
    triangle, left, length, row = triangle[some], left[some], length[some], row[some]
    ends = np.cumsum(length)
    total = int(ends[-1]) if len(ends) else 0
    cuts = np.searchsorted(ends, np.arange(CHUNK_PIXELS, total, CHUNK_PIXELS))
    for piece in np.split(np.arange(len(length)), cuts):
        yield triangle[piece], left[piece], length[piece], row[piece]


def _crossing(start: np.ndarray, end: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x where edges [N, 2] cross the heights y; start is above end, whichever triangle the edge belongs to."""
    rise = end[:, 1] - start[:, 1]
    share = (y - start[:, 1]) / np.where(rise == 0, 1, rise)
    return start[:, 0] + share * (end[:, 0] - start[:, 0])


def planes(corners: np.ndarray, values: np.ndarray) -> np.ndarray:
    """[F, C, 3]: the linear functions a x + b y + c with `values` [F, 3, C] at corners [F, 3, 2].

    Triangles without area get the mean of their corners.
    """
    edge_1, edge_2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = edge_1[:, 0] * edge_2[:, 1] - edge_1[:, 1] * edge_2[:, 0]
    flat = np.abs(area) < 1e-12
    scale = (1 / np.where(flat, 1, area))[:, None]
    rise_1, rise_2 = values[:, 1] - values[:, 0], values[:, 2] - values[:, 0]
    a = (rise_1 * edge_2[:, 1, None] - rise_2 * edge_1[:, 1, None]) * scale
    b = (rise_2 * edge_1[:, 0, None] - rise_1 * edge_2[:, 0, None]) * scale
    a[flat], b[flat] = 0, 0
    c = values[:, 0] - a * corners[:, 0, :1] - b * corners[:, 0, 1:]
    c[flat] = values[flat].mean(axis=1)
    return np.stack([a, b, c], axis=-1)


def draw(
    camera_points: np.ndarray, faces: np.ndarray, intrinsics: np.ndarray, width: int, height: int
) -> tuple[np.ndarray, np.ndarray]:
    """Render a mesh with a depth buffer: the face at each pixel int32 [H, W] (NOTHING if none), and the inverse depth
    there, float32 [H, W] (0 if none).

    camera_points [V, 3] in the camera's frame; faces [F, 3]; intrinsics [3, 3], first pixel center at 0.5. Both sides
    of a face are visible. Faces that reach behind the camera are left out.
    """
    number, corners = faces_in_front(camera_points, faces, intrinsics, width, height)
    return highest(corners, 1 / camera_points[faces[number], 2], number, width, height)


def highest(
    corners: np.ndarray, levels: np.ndarray, number: np.ndarray, width: int, height: int
) -> tuple[np.ndarray, np.ndarray]:
    """The triangle with the highest level at each pixel: its number, int32 [H, W] (NOTHING if none), and its level
    there, float32 [H, W] (0 if none).

    corners [T, 3, 2] in pixels, first pixel center at 0.5; levels [T, 3] of them, positive; number [T], from 0.
    """
    plane = planes(corners, levels[:, :, None])[:, 0]
    low, high = levels.min(axis=1), levels.max(axis=1)
    # Level and number in one integer, since positive floats sort like the integers with the same bits.
    keys = np.zeros(width * height, np.uint64)
    for triangle, column, row in pixels_of_triangles(corners, width, height):
        a, b, c = plane[triangle].T
        # A face seen edge-on could otherwise be extrapolated to anything at a pixel's center.
        level = np.clip(a * (column + 0.5) + b * (row + 0.5) + c, low[triangle], high[triangle])
        bits = level.astype(np.float32).view(np.uint32).astype(np.uint64)
        key = bits << np.uint64(32) | (number[triangle] + 1).astype(np.uint64)
        np.maximum.at(keys, row * width + column, key)
    face = (keys & np.uint64(0xFFFFFFFF)).astype(np.int32) - 1
    level = (keys >> np.uint64(32)).astype(np.uint32).view(np.float32)
    return face.reshape(height, width), level.reshape(height, width)


def faces_in_front(
    camera_points: np.ndarray, faces: np.ndarray, intrinsics: np.ndarray, width: int, height: int
) -> tuple[np.ndarray, np.ndarray]:
    """The faces that may be in the picture, int64 [N], and their corners in pixels [N, 3, 2]."""
    homogeneous = camera_points @ intrinsics.T
    depth = camera_points[:, 2]
    ahead = depth > NEAREST * max(float(depth.max(initial=0)), 1e-30)
    pixels = homogeneous[:, :2] / np.where(ahead, depth, 1)[:, None]
    outside = np.stack(
        [pixels[:, 0] < 0, pixels[:, 0] > width, pixels[:, 1] < 0, pixels[:, 1] > height], axis=1
    )
    number = np.flatnonzero(ahead[faces].all(axis=1) & ~outside[faces].all(axis=1).any(axis=1))
    return number, pixels[faces[number]]
