"""Triangulates points with fixed cameras: Gauss-Newton on the reprojection error, all points at once."""

from __future__ import annotations

import numpy as np

from .observations import Views

STEPS = 10
SETTLED = 1e-6  # of the distance to the nearest camera


def reproject(views: Views, xyz: np.ndarray, point: np.ndarray, view: np.ndarray) -> np.ndarray:
    """Pixels [O, 2] of the projections of points [P, 3]; NaN behind a camera."""
    return views.project(view, views.to_camera(view, xyz[point]))


def triangulate(
    views: Views, xyz: np.ndarray, point: np.ndarray, view: np.ndarray, pixel: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Points [P, 3] with the least squared reprojection error, starting from xyz.

    point, view [O]; pixel [O, 2]; weight [O]: 0 excludes an observation. A point with fewer than two observations is
    not moved, nor is one that does not improve.
    """
    current = xyz.copy()
    cost = _cost(views, current, point, view, pixel, weight)
    damping = np.full(len(xyz), 1e-4)
    seen = np.bincount(point, weight > 0, len(xyz)) >= 2
    for _ in range(STEPS):
        step = _step(views, current, point, view, pixel, weight, damping)
        step[~seen] = 0
        tried = current + step
        new = _cost(views, tried, point, view, pixel, weight)
        better = (new <= cost) & seen
        current[better], cost[better] = tried[better], new[better]
        damping = np.where(better, damping / 10, damping * 10)
        moved = np.linalg.norm(step, axis=1) / np.maximum(np.linalg.norm(current, axis=1), 1e-12)
        if not (better & (moved > SETTLED)).any():
            break
    return current


def project_derivatives(views: Views, view: np.ndarray, local: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels [N, 2] of points [N, 3] in the camera frames, and their derivatives [N, 2, 3] by the points: by finite
    differences, which work for every camera model."""
    there = views.project(view, local)
    size = 1e-5 * np.abs(local[:, 2])
    derivatives = np.empty((len(local), 2, 3))
    for axis in range(3):
        moved = local.copy()
        moved[:, axis] += size
        with np.errstate(divide="ignore", invalid="ignore"):
            derivatives[:, :, axis] = (views.project(view, moved) - there) / size[:, None]
    return there, derivatives


def _cost(
    views: Views, xyz: np.ndarray, point: np.ndarray, view: np.ndarray, pixel: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    squared = np.square(reproject(views, xyz, point, view) - pixel).sum(axis=1)
    terms = np.where(weight > 0, weight * squared, 0)
    return np.bincount(point, np.where(np.isnan(terms), np.inf, terms), len(xyz))


def _step(
    views: Views,
    xyz: np.ndarray,
    point: np.ndarray,
    view: np.ndarray,
    pixel: np.ndarray,
    weight: np.ndarray,
    damping: np.ndarray,
) -> np.ndarray:
    """A Levenberg-Marquardt step [P, 3]."""
    there, by_camera = project_derivatives(views, view, views.to_camera(view, xyz[point]))
    jacobian = by_camera @ views.rotation[view]
    residual = pixel - there
    use = (weight > 0) & np.isfinite(there).all(axis=1) & np.isfinite(jacobian).all(axis=(1, 2))
    scale = np.where(use, weight, 0)
    jacobian[~use], residual[~use] = 0, 0
    hessian, right = np.zeros((len(xyz), 3, 3)), np.zeros((len(xyz), 3))
    np.add.at(hessian, point, np.einsum("oik,oil,o->okl", jacobian, jacobian, scale))
    np.add.at(right, point, np.einsum("oik,oi,o->ok", jacobian, residual, scale))
    diagonal = np.einsum("pkk->pk", hessian)
    diagonal += damping[:, None] * diagonal + 1e-12 * diagonal.max(axis=1, keepdims=True, initial=0) + 1e-30
    return np.linalg.solve(hessian, right[:, :, None])[:, :, 0]
