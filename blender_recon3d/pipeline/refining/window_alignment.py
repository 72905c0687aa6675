"""Finds a reference window in another photo, to a fraction of a pixel.

Inverse compositional Gauss-Newton (Baker and Matthews 2004) over x and y, for many windows at once; gain and offset of
the brightness are projected out, so that it minimizes the distance of zero-mean normalized cross-correlation from 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .patches import sample, window

STEPS = 12
SETTLED = 0.01  # pixels of the reference: the last step is shorter
LONGEST_STEP = 1.5  # beyond this the linearization is useless


@dataclass(frozen=True)
class Templates:
    """Reference windows, prepared for alignment.

    values [N, S]: zero weighted mean, unit weighted norm; slopes [N, S, 2]: their derivatives by position, without the
    part explained by gain and offset; hessian [N, 2, 2]; contrast [N]: weighted standard deviation in gray values.
    """

    values: np.ndarray
    slopes: np.ndarray
    hessian: np.ndarray
    contrast: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    def take(self, chosen: np.ndarray) -> Templates:
        return Templates(
            self.values[chosen], self.slopes[chosen], self.hessian[chosen], self.contrast[chosen]
        )


@dataclass(frozen=True)
class Aligned:
    """pixel [N, 2]: the windows' positions; zncc [N], from -1 to 1, NaN if the window leaves the photo; settled [N]:
    whether the last step was short; spread [N]: expected standard deviation of the position along its worst direction,
    pixels; split [N]: the largest disagreement of the window's halves about the position, pixels."""

    pixel: np.ndarray
    zncc: np.ndarray
    settled: np.ndarray
    spread: np.ndarray
    split: np.ndarray


def normalized(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Windows [N, S] with zero weighted mean and unit weighted norm, and their contrast [N]."""
    centered = values - (values @ weights)[:, None]
    contrast = np.sqrt(np.maximum((centered * centered) @ weights, 0))
    return centered / np.maximum(contrast, 1e-3)[:, None], contrast


def templates(values: np.ndarray) -> Templates:
    """From windows [N, (side + 2)^2], sampled with a margin of one on each side."""
    side = round(values.shape[1] ** 0.5) - 2
    wide = values.reshape(-1, side + 2, side + 2)
    inner, contrast = normalized(wide[:, 1:-1, 1:-1].reshape(-1, side * side), weights := window(side)[1])
    scale = np.maximum(contrast, 1e-3)[:, None]
    across = (wide[:, 1:-1, 2:] - wide[:, 1:-1, :-2]).reshape(-1, side * side) / 2 / scale
    down = (wide[:, 2:, 1:-1] - wide[:, :-2, 1:-1]).reshape(-1, side * side) / 2 / scale
    slopes = np.stack([across, down], axis=2)
    slopes -= np.einsum("nsk,s->nk", slopes, weights)[:, None]
    slopes -= inner[:, :, None] * np.einsum("nsk,ns,s->nk", slopes, inner, weights)[:, None]
    hessian = np.einsum("nsk,nsl,s->nkl", slopes, slopes, weights, optimize=True)
    return Templates(inner, slopes, hessian, contrast)


def align(photo: np.ndarray, pixel: np.ndarray, warp: np.ndarray, target: Templates) -> Aligned:
    """Find each template in the photo [H, W], starting at pixel [N, 2] and seen through warp [N, 2, 2]."""
    side = round(target.values.shape[1] ** 0.5)
    offsets, weights = window(side)
    place = pixel.astype(np.float64).copy()
    settled = np.zeros(len(place), bool)
    inverse = _inverse(target.hessian)
    active = np.flatnonzero(np.isfinite(warp).all(axis=(1, 2)) & np.isfinite(inverse).all(axis=(1, 2)))
    for _ in range(STEPS):
        if not len(active):
            break
        part = target.take(active)
        step = _step(photo, place[active], warp[active], part, inverse[active], offsets, weights)
        length = np.linalg.norm(step, axis=1)
        seen = np.isfinite(length)
        step *= np.minimum(1, LONGEST_STEP / np.maximum(length, 1e-9))[:, None]
        place[active[seen]] -= np.einsum("nij,nj->ni", warp[active[seen]], step[seen])
        settled[active] = seen & (length < SETTLED)
        active = active[seen & (length >= SETTLED)]
    return _evaluated(photo, place, warp, target, inverse, settled, offsets, weights)


def correlation(photo: np.ndarray, pixel: np.ndarray, warp: np.ndarray, target: Templates) -> np.ndarray:
    """Zero-mean normalized cross-correlation [N] at the given positions; NaN outside the photo."""
    offsets, weights = window(round(target.values.shape[1] ** 0.5))
    window_values, _ = normalized(sample(photo, pixel, warp, offsets), weights)
    return np.einsum("ns,ns,s->n", window_values, target.values, weights, optimize=True)


def _step(
    photo: np.ndarray,
    pixel: np.ndarray,
    warp: np.ndarray,
    target: Templates,
    inverse: np.ndarray,
    offsets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """The offset [N, 2] of the photo's window, in samples of the reference."""
    window_values, _ = normalized(sample(photo, pixel, warp, offsets), weights)
    residual = (window_values - target.values) * weights
    return np.einsum("nkl,nl->nk", inverse, np.einsum("nsk,ns->nk", target.slopes, residual))


def _evaluated(
    photo: np.ndarray,
    pixel: np.ndarray,
    warp: np.ndarray,
    target: Templates,
    inverse: np.ndarray,
    settled: np.ndarray,
    offsets: np.ndarray,
    weights: np.ndarray,
) -> Aligned:
    window_values, _ = normalized(sample(photo, pixel, np.nan_to_num(warp), offsets), weights)
    zncc = np.einsum("ns,ns,s->n", window_values, target.values, weights, optimize=True)
    zncc[~np.isfinite(warp).all(axis=(1, 2))] = np.nan
    residual = window_values - target.values
    # Samples are correlated over about the smoothing's width, so there are fewer independent ones.
    independent = 1 / np.square(weights).sum() / 4
    variance = np.maximum(1 - zncc, 0) * 2 / independent
    worst = np.linalg.eigvalsh(np.nan_to_num(inverse, nan=1e6))[:, 1]
    spread = np.sqrt(variance * worst)
    split = np.zeros(len(pixel))
    for half in (offsets[:, 0] < 0, offsets[:, 0] > 0, offsets[:, 1] < 0, offsets[:, 1] > 0):
        split = np.maximum(split, _shift_of(half, residual, target, weights))
    split[np.isnan(zncc)] = np.nan
    return Aligned(pixel, zncc, settled & np.isfinite(zncc), spread, split)


def _shift_of(half: np.ndarray, residual: np.ndarray, target: Templates, weights: np.ndarray) -> np.ndarray:
    """The distance [N] that a part of the window would move by itself, in samples; a ridge holds untextured parts."""
    own = np.where(half, weights, 0)
    hessian = np.einsum("nsk,nsl,s->nkl", target.slopes, target.slopes, own, optimize=True)
    ridge = 0.1 * np.trace(target.hessian, axis1=1, axis2=2) / 2
    hessian[:, 0, 0] += ridge
    hessian[:, 1, 1] += ridge
    right = np.einsum("nsk,ns,s->nk", target.slopes, residual, own, optimize=True)
    shift = np.einsum("nkl,nl->nk", _inverse(hessian), right)
    return np.linalg.norm(shift, axis=1)


def _inverse(matrices: np.ndarray) -> np.ndarray:
    """Inverses of symmetric matrices [N, 2, 2]; NaN for nearly singular ones."""
    a, b, d = matrices[:, 0, 0], matrices[:, 0, 1], matrices[:, 1, 1]
    determinant = a * d - b * b
    regular = determinant > 1e-4 * np.square(a + d) / 4
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(regular & (a + d > 1e-6), 1 / determinant, np.nan)
    return np.stack([np.stack([d, -b], 1), np.stack([-b, a], 1)], 1) * scale[:, None, None]
