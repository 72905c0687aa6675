"""The density of a cloud around each point, and the size of each point's island. numpy only.

Points are counted in cubes (voxels) of a few point spacings: exact neighbors would need a tree and take minutes.
Memory: about 60 bytes per point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CELL = 4.0  # side of a voxel, in point spacings: 16 points of an even surface
_BITS = 21  # per voxel coordinate: three of them fit into an int64
_HALF = [
    (x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if (x, y, z) > (0, 0, 0)
]  # 13 of a voxel's 26 neighbors: the others follow by symmetry


@dataclass(frozen=True)
class Density:
    """neighbors: int32 [n], points in the 27 voxels around each point, not counting itself. island: int32 [n], points
    in the point's connected component of occupied voxels."""

    neighbors: np.ndarray
    island: np.ndarray


def analyze(xyz: np.ndarray, spacing: float) -> Density:
    """The density of points [n, 3]. spacing: typical distance between neighbors, in the same units."""
    if len(xyz) == 0:
        return Density(np.empty(0, np.int32), np.empty(0, np.int32))
    keys = _voxels(xyz, CELL * spacing)
    order = np.argsort(keys, kind="stable").astype(np.int32 if len(xyz) < 2**31 else np.int64)
    ordered = keys[order]
    del keys
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    counts = np.diff(np.r_[first, len(ordered)]).astype(np.int32)
    pairs = _neighboring(ordered[first])
    del ordered
    near = counts.copy()
    for a, b in pairs:
        near[a] += counts[b]  # at most one b for each a, and vice versa
        near[b] += counts[a]
    part = _connected(len(counts), pairs)
    sizes = np.bincount(part, counts, len(counts)).astype(np.int32)[part]
    neighbors, island = np.empty(len(xyz), np.int32), np.empty(len(xyz), np.int32)
    neighbors[order] = np.repeat(near - 1, counts)
    island[order] = np.repeat(sizes, counts)
    return Density(neighbors, island)


def sensible_limits(density: Density) -> tuple[int, int]:
    """Minimum neighbors and minimum island size that keep the subject and remove floaters.

    A point is removed where the cloud is 20 times sparser than typical, or in an island smaller than a hundredth of the
    largest one.
    """
    if len(density.island) == 0:
        return 0, 0
    typical = float(np.median(density.neighbors))
    return max(2, round(typical / 20)), max(10, int(density.island.max()) // 100)


def _voxels(xyz: np.ndarray, cell: float) -> np.ndarray:
    """Voxel number of each point, int64 [n]. Points 2 million voxels away are put into the last ones."""
    low = xyz.min(axis=0).astype(np.float64)
    # A few distant points must not move the grid's origin so far that the cloud ends up in one voxel.
    middle = np.median(xyz[:: max(1, len(xyz) // 100_000)], axis=0)
    low = np.maximum(low, middle - cell * 2 ** (_BITS - 1))
    keys = np.zeros(len(xyz), np.int64)
    for axis in range(3):
        keys <<= _BITS
        index = np.floor((xyz[:, axis] - low[axis]) / cell)
        # A margin of one on both sides, so that a neighbor's number never wraps into the next column.
        keys |= np.clip(index, 0, 2**_BITS - 3).astype(np.int64) + 1
    return keys


def _neighboring(voxels: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs (a, b) of neighbors among sorted voxel numbers: for each of 13 directions their indices."""
    pairs = []
    for x, y, z in _HALF:
        neighbors = voxels + ((x << 2 * _BITS) + (y << _BITS) + z)
        index = np.searchsorted(voxels, neighbors)
        index[index == len(voxels)] = 0
        a = np.flatnonzero(voxels[index] == neighbors)
        pairs.append((a.astype(np.int32), index[a].astype(np.int32)))
    return pairs


def _connected(count: int, pairs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """The smallest node of each node's connected component, int32 [count].

    Hooking and pointer jumping (Shiloach and Vishkin, 1982): each root is attached to a smaller adjacent one, then all
    paths are shortened, until nothing changes.
    """
    parent = np.arange(count, dtype=np.int32)
    a = np.concatenate([pair[0] for pair in pairs])
    b = np.concatenate([pair[1] for pair in pairs])
    while len(a):
        root_a, root_b = parent[a], parent[b]
        apart = root_a != root_b
        a, b = a[apart], b[apart]
        low = np.minimum(root_a[apart], root_b[apart])
        high = np.maximum(root_a[apart], root_b[apart])
        parent[high] = low
        while True:
            above = parent[parent]
            if np.array_equal(above, parent):
                break
            parent = above
    return parent
