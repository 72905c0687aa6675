"""Room in a texture for new faces: the largest charts first, each where the UVs of the mesh leave a rectangle free."""

from __future__ import annotations

import bmesh
import numpy as np

from ..stepwise import Steps

CELLS = 512  # of the grid that says what is taken, along a side
MARGIN = 2  # cells between charts
SMALLER = 0.8  # a chart that does not fit is scaled by this
OVERLAPPING = 1.5  # of the tile: UVs with a larger area lie on each other, and leave nothing free
SMALLEST = 0.02  # of the mesh's texel density, by length; then it is put into a corner


def put_into_free_space(
    layer: bmesh.types.BMLayerItem,
    charts: list[list[bmesh.types.BMFace]],
    corners: np.ndarray,
    surface: float,
) -> Steps[None]:
    """Give each chart of new faces UVs that overlap no other's, at the mesh's own scale if there is room for that.

    corners [n, 3, 2]: UVs of the mesh's other triangles; surface: their area in the mesh's units.
    """
    texture = triangle_areas(corners).sum()
    scale = float(np.sqrt(texture / surface)) if surface > 0 and texture > 0 else 0.0
    taken = taken_cells(corners)
    yield None
    flat = [_flattened(chart) for chart in charts]
    for number in sorted(range(len(charts)), key=lambda n: -float(np.ptp(flat[n], axis=0).prod())):
        _place(charts[number], flat[number], layer, scale, taken)
        yield None


def taken_cells(corners: np.ndarray) -> np.ndarray:
    """Which cells triangles [n, 3, 2] in UV coordinates touch, with a margin: bool [CELLS, CELLS], row 0 at v = 0."""
    taken = np.zeros((CELLS, CELLS), bool)
    if triangle_areas(corners).sum() > OVERLAPPING:
        return ~taken
    steps = np.ceil(np.ptp(corners, axis=1).max(axis=1) * CELLS * 1.5).clip(1, 3 * CELLS).astype(int)
    for step in np.unique(steps):
        triangles = corners[steps == step]
        i, j = np.meshgrid(np.arange(step + 1), np.arange(step + 1), indexing="ij")
        inside = i + j <= step
        shares = np.stack([i[inside], j[inside], step - i[inside] - j[inside]], axis=1) / step
        for start in range(0, len(triangles), block := max(1, 2_000_000 // len(shares))):
            part = np.einsum("sk,nkc->nsc", shares, triangles[start : start + block]).reshape(-1, 2)
            cells = np.floor(part * CELLS).astype(int)
            cells = cells[((cells >= 0) & (cells < CELLS)).all(axis=1)]
            taken[cells[:, 1], cells[:, 0]] = True
    return _grown(taken)


def _grown(taken: np.ndarray) -> np.ndarray:
    for axis in (0, 1):
        wide = taken.copy()
        for shift in range(1, MARGIN + 1):
            low = [slice(None)] * 2
            high = [slice(None)] * 2
            low[axis], high[axis] = slice(None, -shift), slice(shift, None)
            wide[tuple(low)] |= taken[tuple(high)]
            wide[tuple(high)] |= taken[tuple(low)]
        taken = wide
    return taken


def _place(
    faces: list[bmesh.types.BMFace],
    flat: np.ndarray,
    layer: bmesh.types.BMLayerItem,
    scale: float,
    taken: np.ndarray,
) -> None:
    """Write a chart's UVs, and mark its cells. flat [n, 2]: of the faces' corners, in the mesh's units."""
    size = np.ptp(flat, axis=0)
    shrunk = 1.0
    while True:
        wide, high = np.ceil(size * scale * shrunk * CELLS).astype(int) + 1
        found = _free(taken, int(wide), int(high))
        if found is not None or shrunk < SMALLEST:
            break
        shrunk *= SMALLER
    column, row = found if found is not None else (0, 0)
    uv = (flat - flat.min(axis=0)) * scale * shrunk + (np.array([column, row]) + 0.5) / CELLS
    loops = (loop for face in faces for loop in face.loops)
    for loop, place in zip(loops, uv.tolist(), strict=True):
        loop[layer].uv = place
    low = (max(0, row - MARGIN), max(0, column - MARGIN))
    taken[low[0] : row + high + MARGIN, low[1] : column + wide + MARGIN] = True


def _free(taken: np.ndarray, wide: int, high: int) -> tuple[int, int] | None:
    """Column and row of the first free rectangle; None if there is none."""
    if wide > CELLS or high > CELLS:
        return None
    sums = np.zeros((CELLS + 1, CELLS + 1), np.int64)
    sums[1:, 1:] = taken.cumsum(axis=0).cumsum(axis=1)
    inside = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]
    rows, columns = np.nonzero(inside == 0)
    return (int(columns[0]), int(rows[0])) if len(rows) else None


def _flattened(faces: list[bmesh.types.BMFace]) -> np.ndarray:
    """The faces' corners in the plane that fits them best, [n, 2], the longer side first; no mirroring."""
    xyz = np.array([tuple(loop.vert.co) for face in faces for loop in face.loops])
    normals = sum((face.normal * face.calc_area() for face in faces), faces[0].normal * 0)
    out = np.array(normals.normalized())
    centered = xyz - xyz.mean(axis=0)
    if not out.any():
        out = np.linalg.svd(centered, full_matrices=False)[2][2]
    centered = centered - np.outer(centered @ out, out)
    across = np.linalg.svd(centered, full_matrices=False)[2][0]
    return np.stack([centered @ across, centered @ np.cross(out, across)], axis=1)


def triangle_areas(corners: np.ndarray) -> np.ndarray:
    """Areas of triangles [n, 3, 2] or [n, 3, 3]."""
    one, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    if corners.shape[2] == 2:
        return 0.5 * np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0])
    return 0.5 * np.linalg.norm(np.cross(one, other), axis=1)
