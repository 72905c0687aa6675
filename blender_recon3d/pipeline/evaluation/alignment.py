"""Aligns a reconstruction with the frame of its ground truth: a similarity from corresponding positions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

TRIALS = 2000  # triples tried for the robust start, if there are more
OUTLIER = 6.0  # times the median error; points beyond it, gross errors, do not affect the final fit
ROUNDS = 20
LINE = 1e-3  # second to first singular value; a smaller ratio means a line, with any rotation about it


class Undetermined(Exception):
    """The points are on one line or in one place, so the rotation is undetermined."""


@dataclass(frozen=True)
class Similarity:
    """x -> scale * rotation @ x + translation."""

    scale: float
    rotation: np.ndarray  # [3, 3]
    translation: np.ndarray  # [3]

    def apply(self, points: np.ndarray) -> np.ndarray:
        """Transform points [N, 3]."""
        return self.scale * points @ self.rotation.T + self.translation

    def after(self, first: Similarity) -> Similarity:
        """The similarity that applies `first` and then this one."""
        return Similarity(
            self.scale * first.scale, self.rotation @ first.rotation, self.apply(first.translation[None])[0]
        )


IDENTITY = Similarity(1.0, np.eye(3), np.zeros(3))


def umeyama(source: np.ndarray, target: np.ndarray) -> Similarity:
    """The similarity from source [N, 3] to target [N, 3] with the least sum of squared distances.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns", PAMI 1991,
    equations 34 to 42. Raises Undetermined when either side is on a line.
    """
    center_source, center_target = source.mean(axis=0), target.mean(axis=0)
    a, b = source - center_source, target - center_target
    for side in (a, b):
        spread = np.linalg.svd(side, compute_uv=False)
        if len(side) < 3 or spread[1] <= LINE * spread[0]:
            raise Undetermined
    u, values, vt = np.linalg.svd(b.T @ a)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = (u * signs) @ vt
    scale = float((values * signs).sum() / (a**2).sum())
    return Similarity(scale, rotation, center_target - scale * rotation @ center_source)


def with_rotation(source: np.ndarray, target: np.ndarray, rotation: np.ndarray) -> Similarity:
    """The best similarity with a given rotation, for points on a line. Raises Undetermined for a single place."""
    center_source, center_target = source.mean(axis=0), target.mean(axis=0)
    a, b = (source - center_source) @ rotation.T, target - center_target
    if not (a**2).sum() > 0 or not (a * b).sum() > 0:
        raise Undetermined
    scale = float((a * b).sum() / (a**2).sum())
    return Similarity(scale, rotation, center_target - scale * rotation @ center_source)


def robust_similarity(source: np.ndarray, target: np.ndarray, seed: int = 0) -> tuple[Similarity, np.ndarray]:
    """A similarity from source [N, 3] to target [N, 3], and which points were used (bool [N]).

    Starts from the better, by the median error, of Umeyama's fit to all points and the best exact triple (least median
    of squares); then refits to the points within OUTLIER times the median error until these no longer change. Without
    outliers that is Umeyama's fit to nearly all points. Raises Undetermined.
    """
    best = umeyama(source, target)
    best_median = float(np.median(errors(best, source, target)))
    for triple in _triples(len(source), np.random.default_rng(seed)):
        try:
            candidate = umeyama(source[triple], target[triple])
        except Undetermined:
            continue
        median = float(np.median(errors(candidate, source, target)))
        # Half, since the error of a triple is biased low: it was selected by this very median.
        if median < 0.5 * best_median:
            best, best_median = candidate, 2 * median
    inliers = np.zeros(len(source), bool)
    for _ in range(ROUNDS):
        distance = errors(best, source, target)
        near = distance <= max(OUTLIER * float(np.median(distance)), 1e-12)
        if near.sum() < 3 or np.array_equal(near, inliers):
            break
        try:
            best = umeyama(source[near], target[near])
        except Undetermined:  # the remaining points are on a line: keep the previous fit
            break
        inliers = near
    return best, inliers


def errors(similarity: Similarity, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Distances [N] between the moved source and target."""
    return np.linalg.norm(similarity.apply(source) - target, axis=1)


def angles(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Angles [N] in degrees between rotations [N, 3, 3]; exact for small ones too."""
    # |R1 - R2| (Frobenius) = 2 sqrt(2) sin(angle / 2), which keeps its precision where the arc cosine does not.
    distance = np.linalg.norm(first - second, axis=(1, 2))
    return np.degrees(2 * np.arcsin(np.clip(distance / np.sqrt(8), 0, 1)))


def _triples(count: int, generator: np.random.Generator) -> list[list[int]]:
    if count * (count - 1) * (count - 2) // 6 <= TRIALS:
        return [list(triple) for triple in combinations(range(count), 3)]
    return [list(generator.choice(count, 3, replace=False)) for _ in range(TRIALS)]
