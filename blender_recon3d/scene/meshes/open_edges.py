"""Whether a triangle mesh is watertight, and where its holes are. numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...pipeline.text import Said


@dataclass(frozen=True)
class Openness:
    """open: edges with one face. crossed: edges with more than two, or with two faces of opposite orientation."""

    open: int
    crossed: int

    @property
    def watertight(self) -> bool:
        return self.open == 0 and self.crossed == 0

    def sentence(self) -> str:
        if self.watertight:
            return Said("It is watertight.")
        opened, crossed = f"{self.open:,}", f"{self.crossed:,}"
        if not self.crossed:
            return Said("It is not watertight: {open} open edges.", open=opened)
        if not self.open:
            text = "It is not watertight: {crossed} edges where faces cross or disagree."
            return Said(text, crossed=crossed)
        text = "It is not watertight: {open} open edges and {crossed} edges where faces cross or disagree."
        return Said(text, open=opened, crossed=crossed)


def _edges(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For triangles int [m, 3]: start and end of each edge, and its index regardless of direction [3m]."""
    start, end = faces.astype(np.int64).ravel(), np.roll(faces, -1, axis=1).astype(np.int64).ravel()
    return start, end, np.minimum(start, end) << 32 | np.maximum(start, end)


def openness(faces: np.ndarray) -> Openness:
    """The openness of triangles int [m, 3]."""
    if not len(faces):
        return Openness(0, 0)
    start, end, edge = _edges(faces)
    order = np.argsort(edge, kind="stable")
    keys, forward = edge[order], (start < end)[order]
    first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    counts = np.diff(np.r_[first, len(keys)])
    ahead = np.add.reduceat(forward.astype(np.int64), first)
    return Openness(int((counts == 1).sum()), int(((counts > 2) | ((counts == 2) & (ahead != 1))).sum()))


def holes(faces: np.ndarray) -> list[list[int]]:
    """The loops of vertices around the holes of triangles int [m, 3], each vertex once per loop.

    In the direction of the faces that would fill the hole.
    """
    start, end, edge = _edges(faces)
    _, first, counts = np.unique(edge, return_index=True, return_counts=True)
    rim = first[counts == 1]
    onward: dict[int, list[int]] = {}
    for a, b in zip(end[rim].tolist(), start[rim].tolist(), strict=True):
        onward.setdefault(a, []).append(b)
    loops = []
    for begin in list(onward):
        path, place = [begin], {begin: 0}
        while onward.get(path[-1]):
            vertex = onward[path[-1]].pop()
            if vertex in place:  # a loop is closed; the path to it may start another
                loop = path[place[vertex] :]
                loops.append(loop)
                for passed in loop[1:]:
                    del place[passed]
                path = path[: place[vertex] + 1]
            else:
                place[vertex] = len(path)
                path.append(vertex)
    return [loop for loop in loops if len(loop) >= 3]
