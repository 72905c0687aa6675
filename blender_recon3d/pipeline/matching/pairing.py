"""Which photos to match with which, as pure functions on similarities and indices."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np

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


def retrieval(similarity: np.ndarray, neighbours: int) -> list[Pair]:
    """The union of each photo's `neighbours` most similar, plus bridges until all photos hang together.

    similarity: [N, N], symmetric, larger is more alike; the diagonal is not looked at.
    """
    count = len(similarity)
    scores = similarity.astype(np.float64).copy()
    np.fill_diagonal(scores, -np.inf)
    best = np.argsort(-scores, axis=1, kind="stable")[:, : min(neighbours, count - 1)]
    pairs = {(min(i, int(j)), max(i, int(j))) for i in range(count) for j in best[i]}
    return sorted(pairs | set(bridges(scores, pairs)))


class _Groups:
    """Disjoint sets of the photos 0..count-1, with path halving."""

    def __init__(self, count: int, pairs: Iterable[Pair] = ()) -> None:
        self._parent = list(range(count))
        self.number = count
        for first, second in pairs:
            self.join(first, second)

    def of(self, node: int) -> int:
        parent = self._parent
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def join(self, first: int, second: int) -> bool:
        """True when the two were apart."""
        one, other = self.of(first), self.of(second)
        self._parent[one] = other
        self.number -= one != other
        return one != other


def bridges(similarity: np.ndarray, pairs: Iterable[Pair]) -> list[Pair]:
    """The most similar pairs that connect the groups which `pairs` leaves apart (Kruskal's algorithm)."""
    groups = _Groups(len(similarity), pairs)
    if groups.number == 1:
        return []
    rows, columns = np.triu_indices(len(similarity), 1)
    order = np.argsort(-similarity[rows, columns], kind="stable")
    ranked = ((int(rows[index]), int(columns[index])) for index in order)
    return [pair for pair in ranked if groups.join(*pair)]


def components(count: int, pairs: Iterable[Pair]) -> list[list[int]]:
    """Groups of photos connected through `pairs`, the largest first."""
    groups = _Groups(count, pairs)
    members: dict[int, list[int]] = {}
    for node in range(count):
        members.setdefault(groups.of(node), []).append(node)
    return sorted(members.values(), key=len, reverse=True)
