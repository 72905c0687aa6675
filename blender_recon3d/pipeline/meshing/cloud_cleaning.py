"""Finds the points of a dense cloud that are not on a surface: single outliers, and islands floating in the air.

Both are relative to the cloud's own spacing, so that they mean the same at any scale.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ..events import Progress
from .point_cloud import KEY_BITS, Cloud, voxel_keys

NEIGHBORS = 8
BLOCK = 250_000  # points per block, which bounds the memory of a query
OUTLIER_RATIO = 3.0  # times its neighbors' spacing: points farther apart are outliers
OUTLIER_RATIO_UNSURE = 1.8  # the same for points seen by hardly more photos than the minimum
UNSURE_VIEWS = 4
ISLAND_GAP = 7.5  # times the spacing: closer points are connected
ISLAND_SHARE = 0.01  # of the largest island's points: smaller islands are removed


def spacings(xyz: np.ndarray, tree: cKDTree, progress: Progress) -> tuple[np.ndarray, np.ndarray]:
    """Each point's mean distance to its NEIGHBORS nearest [N], and the median of theirs [N], float32.

    Zero where points coincide.
    """
    own = np.empty(len(xyz), np.float32)
    count = min(NEIGHBORS + 1, len(xyz))
    around = np.empty((len(xyz), count), np.int32)
    for start in range(0, len(xyz), BLOCK):
        distance, index = tree.query(xyz[start : start + BLOCK], count, workers=-1)
        own[start : start + BLOCK] = distance[:, 1:].mean(axis=1)
        around[start : start + BLOCK] = index
        progress.check()
    neighbor_spacing = np.empty(len(xyz), np.float32)
    for start in range(0, len(xyz), BLOCK):
        neighbor_spacing[start : start + BLOCK] = np.median(own[around[start : start + BLOCK, 1:]], axis=1)
    return own, neighbor_spacing


def outliers(cloud: Cloud, own: np.ndarray, neighbor_spacing: np.ndarray) -> np.ndarray:
    """Which points [N] are far from others that are closer to each other; stricter if few photos saw them."""
    unsure = (cloud.views > 0) & (cloud.views <= UNSURE_VIEWS)
    return own > np.where(unsure, OUTLIER_RATIO_UNSURE, OUTLIER_RATIO) * neighbor_spacing


def islands(xyz: np.ndarray, gap: float) -> np.ndarray:
    """int [N]: the index of each point's island; points in touching voxels with edges of `gap` belong together.

    Memory and time depend on the number of points, however many neighbors they have.
    """
    low = xyz.min(axis=0) - gap
    gap = max(gap, float(np.ptp(xyz, axis=0).max()) / (2**KEY_BITS - 4))
    voxels, voxel = np.unique(voxel_keys(xyz, low, gap), return_inverse=True)
    rows, others = [], []
    for offset in _half_neighbors():
        neighbors = voxels + offset
        place = np.minimum(np.searchsorted(voxels, neighbors), len(voxels) - 1)
        exists = voxels[place] == neighbors
        rows.append(np.flatnonzero(exists))
        others.append(place[exists])
    row, other = np.concatenate(rows), np.concatenate(others)
    graph = coo_array((np.ones(len(row), np.int8), (row, other)), (len(voxels),) * 2)
    return connected_components(graph, directed=False)[1][voxel]


def _half_neighbors() -> list[int]:
    """The key differences to 13 of a voxel's 26 neighbors; the other 13 follow from symmetry."""
    span = (-1, 0, 1)
    offsets = [(x << 2 * KEY_BITS) + (y << KEY_BITS) + z for x in span for y in span for z in span]
    return [offset for offset in offsets if offset > 0]


def in_large_islands(xyz: np.ndarray, gap: float, share: float = ISLAND_SHARE) -> np.ndarray:
    """Which points [N] are in an island with at least `share` of the largest one's points."""
    island = islands(xyz, gap)
    size = np.bincount(island)
    return size[island] >= share * size.max()
