"""The surface normal at each point: estimated from its neighbors, then optimized for agreement between the photos."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from .observations import Observations, Views
from .patches import PhotoCache
from .tracks import Report, correlate_tracks

NEIGHBORS = 12
STEEPEST = (
    0.25  # cosine between a normal and the mean viewing direction: steeper patches are not worth comparing
)
SLOPES = (0.5, 0.25)  # tried around a normal, in sequence: tangents of angles


def neighbor_normals(xyz: np.ndarray, facing: np.ndarray) -> np.ndarray:
    """Normals [P, 3] of planes through each point's neighbors, turned to the side of `facing` [P, 3]; `facing` itself
    if the plane is too steep to be visible or there are too few points."""
    if len(xyz) <= NEIGHBORS:
        return facing.copy()
    _, near = cKDTree(xyz).query(xyz, NEIGHBORS + 1)
    centered = xyz[near] - np.median(xyz[near], axis=1, keepdims=True)
    # Farther neighbors count less: the nearest are most likely on the same surface.
    distance = np.linalg.norm(centered, axis=2)
    weight = 1 / (1 + np.square(distance / np.maximum(np.median(distance, axis=1, keepdims=True), 1e-12)))
    spread = np.einsum("pni,pnj,pn->pij", centered, centered, weight, optimize=True)
    normal = np.linalg.eigh(spread)[1][:, :, 0]
    cosine = np.einsum("pi,pi->p", normal, facing)
    normal *= np.where(cosine < 0, -1, 1)[:, None]
    return np.where(np.abs(cosine)[:, None] > STEEPEST, normal, facing)


def search_normals(
    views: Views,
    observations: Observations,
    photos: PhotoCache,
    reference: np.ndarray,
    facing: np.ndarray,
    report: Report = lambda done, total: None,
) -> np.ndarray:
    """Normals [P, 3] for which each point's observations, at their positions, look most alike."""
    both = [facing, neighbor_normals(observations.xyz, facing)]
    scores = _scores(observations, correlate_tracks(views, observations, photos, reference, both, report))
    normal = np.where((scores[:, 1] > scores[:, 0])[:, None], both[1], both[0])
    best = scores.max(axis=1)
    for slope in SLOPES:
        first, second = _tangents(normal)
        tried = [_unit(normal + sign * slope * axis) for axis in (first, second) for sign in (-1, 1)]
        scores = _scores(
            observations, correlate_tracks(views, observations, photos, reference, tried, report)
        )
        step = np.stack(
            [_vertex(scores[:, 0], best, scores[:, 1]), _vertex(scores[:, 2], best, scores[:, 3])], 1
        )
        moved = _unit(normal + slope * (step[:, :1] * first + step[:, 1:] * second))
        new = _scores(
            observations, correlate_tracks(views, observations, photos, reference, [moved], report)
        )[:, 0]
        improved = (new > best) & (np.einsum("pi,pi->p", moved, facing) > STEEPEST)
        normal[improved], best[improved] = moved[improved], new[improved]
    return normal


def _scores(observations: Observations, correlations: np.ndarray) -> np.ndarray:
    """Mean correlation [P, N] of each point's observations; an invisible window counts as no correlation."""
    count = np.maximum(np.bincount(observations.point, minlength=len(observations.xyz)) - 1, 1)
    return np.stack(
        [
            np.bincount(observations.point, np.nan_to_num(column), len(observations.xyz)) / count
            for column in correlations.T
        ],
        axis=1,
    )


def _vertex(left: np.ndarray, middle: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The position of the maximum of the parabola through values at -1, 0 and 1, from -1 to 1."""
    bend = left - 2 * middle + right
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.clip((left - right) / (2 * bend), -1, 1)
    return np.where(bend < -1e-9, inside, np.sign(right - left) * (np.maximum(left, right) > middle))


def _tangents(normal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two unit vectors [P, 3] perpendicular to each unit normal and each other."""
    axis = np.eye(3)[np.abs(normal).argmin(axis=1)]
    first = _unit(np.cross(normal, axis))
    return first, np.cross(normal, first)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
