"""Selects the pairs of photos to match, as pure functions of similarities and indices."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
from scipy.sparse.csgraph import minimum_spanning_tree

Pair = tuple[int, int]  # indices of photos, the smaller first


def exhaustive(count: int) -> list[Pair]:
    return list(combinations(range(count), 2))


def sequential(count: int, window: int) -> list[Pair]:
    """Each photo with the next `window`, and with those at powers of two beyond it, which close small gaps."""
    steps = list(range(1, window + 1))
    step = 1
    while step < count:
        if step > window:
            steps.append(step)
        step *= 2
    return sorted((first, first + step) for first in range(count) for step in steps if first + step < count)


def retrieval(similarity: np.ndarray, neighbors: int) -> list[Pair]:
    """The union of each photo's `neighbors` most similar, plus bridges until all photos are connected.

    similarity: [N, N], symmetric, larger is more alike; the diagonal is ignored.
    """
    count = len(similarity)
    scores = similarity.astype(np.float64).copy()
    np.fill_diagonal(scores, -np.inf)
    best = np.argsort(-scores, axis=1, kind="stable")[:, : min(neighbors, count - 1)]
    pairs = {(min(i, int(j)), max(i, int(j))) for i in range(count) for j in best[i]}
    return sorted(pairs | set(bridges(scores, pairs)))


def bridges(similarity: np.ndarray, pairs: Iterable[Pair]) -> list[Pair]:
    """The most similar pairs that connect the groups left apart by `pairs`, the most similar first."""
    rows, columns = np.triu_indices(len(similarity), 1)
    cost = np.zeros(similarity.shape)
    # Ranks instead of similarities: all different, and none is zero, which would mean no edge.
    cost[rows, columns] = 1 + np.argsort(np.argsort(-similarity[rows, columns], kind="stable"))
    for pair in pairs:
        cost[pair] = 0.5  # cheaper than all others
    tree = minimum_spanning_tree(cost).tocoo()
    order = [index for index in np.argsort(tree.data) if tree.data[index] >= 1]
    return [(int(tree.row[index]), int(tree.col[index])) for index in order]
