"""Selects the pairs of photos to match, as pure functions of similarities and indices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

BLOCK = 512  # photos compared with all others at once

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


class Rows(Protocol):
    """The similarities of N photos, [N, N], symmetric, larger is more alike; a slice gives some of the rows. An array
    is one."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice) -> np.ndarray: ...


@dataclass(frozen=True)
class SimilarityOf:
    """The similarities of descriptors [N, D] of unit length, whose rows are computed as needed."""

    descriptors: np.ndarray

    def __len__(self) -> int:
        return len(self.descriptors)

    def __getitem__(self, rows: slice) -> np.ndarray:
        return self.descriptors[rows] @ self.descriptors.T


def retrieval(similarity: Rows, neighbors: int) -> list[Pair]:
    """The union of each photo's `neighbors` most similar, plus bridges until all photos are connected.

    Needs memory for BLOCK rows of the similarities.
    """
    count = len(similarity)
    pairs = set()
    for first, similar in _blocks(similarity):
        best = np.argsort(-similar, axis=1, kind="stable")[:, : min(neighbors, count - 1)]
        for i, row in enumerate(best.tolist(), first):
            pairs |= {(min(i, j), max(i, j)) for j in row}
    return sorted(pairs | set(bridges(similarity, pairs)))


def bridges(similarity: Rows, pairs: Iterable[Pair]) -> list[Pair]:
    """The most similar pairs that connect the groups left apart by `pairs`, the most similar first.

    Boruvka's algorithm: in each round every group gets its most similar pair with another one, which leaves at most
    half as many groups.
    """
    links: dict[Pair, float] = {}
    joined = list(pairs)
    while True:
        count, group = _groups(len(similarity), joined)
        if count < 2:
            return sorted(links, key=lambda pair: (-links[pair], pair))
        best: dict[int, tuple[float, Pair]] = {}
        for first, similar in _blocks(similarity):
            rows = np.arange(first, first + len(similar))
            similar[group[rows, None] == group[None]] = -np.inf
            other = similar.argmax(axis=1)
            for i, j, value in zip(rows.tolist(), other.tolist(), similar.max(axis=1).tolist(), strict=True):
                candidate = (-value, (min(i, j), max(i, j)))
                best[int(group[i])] = min(best.get(int(group[i]), candidate), candidate)
        for value, pair in best.values():
            links[pair] = -value
            joined.append(pair)


def _groups(count: int, pairs: Sequence[Pair]) -> tuple[int, np.ndarray]:
    """How many groups of photos the pairs leave apart, and the group of each photo."""
    ends = np.array(pairs, np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends), bool), (ends[:, 0], ends[:, 1])), (count, count))
    groups, group = connected_components(graph, directed=False)
    return groups, group


def _blocks(similarity: Rows) -> Iterator[tuple[int, np.ndarray]]:
    """The number of the first row, and rows [BLOCK, N], which are -inf on the diagonal."""
    for first in range(0, len(similarity), BLOCK):
        similar = np.array(similarity[first : first + BLOCK], np.float64)
        rows = np.arange(len(similar))
        similar[rows, first + rows] = -np.inf
        yield first, similar
