"""The cloud's colors at other positions."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

NEIGHBORS = 6
BLOCK = 250_000  # vertices per block, which bounds the memory of a query
GRAY = 160  # where the cloud has no color


def colors_at(places: np.ndarray, tree: cKDTree, rgb: np.ndarray | None, spacing: float) -> np.ndarray:
    """uint8 [N, 3] at places [N, 3]: means of the nearest points, weighted by a Gaussian of their distance.

    tree, rgb [M, 3]: the points and their colors. The Gaussian is as wide as the distance of the nearest point, and at
    least half the cloud's `spacing`: places in a gap take the color of its rim.
    """
    if rgb is None:
        return np.full((len(places), 3), GRAY, np.uint8)
    blocks = [
        _block(places[start : start + BLOCK], tree, rgb, spacing) for start in range(0, len(places), BLOCK)
    ]
    return np.concatenate(blocks) if blocks else np.empty((0, 3), np.uint8)


def _block(places: np.ndarray, tree: cKDTree, rgb: np.ndarray, spacing: float) -> np.ndarray:
    count = min(NEIGHBORS, len(rgb))
    distance, index = tree.query(places, list(range(1, count + 1)), workers=-1)
    width = np.maximum(distance[:, :1], 0.5 * spacing)
    weights = np.exp(-0.5 * (distance / width) ** 2)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.rint(np.einsum("nk,nkc->nc", weights, rgb[index].astype(np.float64))).astype(np.uint8)
