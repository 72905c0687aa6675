"""Finding a reference window again in another photo, to a fraction of a pixel.

Inverse compositional Gauss-Newton (Baker and Matthews 2004) over x and y, for many windows at once; gain and offset of
the light are projected out, so what is minimized is the zero-mean normalized cross-correlation's distance from 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .patches import sample, window

STEPS = 12
SETTLED = 0.01  # pixels of the reference, of the last step
LONGEST_STEP = 1.5  # of one step: farther the linearisation is worth nothing


@dataclass(frozen=True)
class Templates:
    """Reference windows, ready to be looked for.

    values [N, S]: zero weighted mean, unit weighted norm; slopes [N, S, 2]: their derivative by the place, without
    what gain and offset explain; hessian [N, 2, 2]; contrast [N]: weighted standard deviation in gray values.
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
    """pixel [N, 2]: where the windows were found; zncc [N], from -1 to 1, NaN where the window leaves the photo;
    settled [N]: whether the last step was short; spread [N]: standard deviation expected of the place along its worst
    direction, pixels; split [N]: by how much, at most, the window's halves would disagree about the place, pixels."""

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
    """From windows [N, (side + 2)^2], sampled one sample wider on each side than they are looked for."""
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


def align(photo: np.ndarray, pixel: np.ndarray, warp: np.ndarray, wanted: Templates) -> Aligned:
    """Find each template in the photo [H, W], starting at pixel [N, 2] and seen through warp [N, 2, 2]."""
    side = round(wanted.values.shape[1] ** 0.5)
    offsets, weights = window(side)
    place = pixel.astype(np.float64).copy()
    settled = np.zeros(len(place), bool)
    inverse = _inverse(wanted.hessian)
    active = np.flatnonzero(np.isfinite(warp).all(axis=(1, 2)) & np.isfinite(inverse).all(axis=(1, 2)))
    for _ in range(STEPS):
        if not len(active):
            break
        part = wanted.take(active)
        step = _step(photo, place[active], warp[active], part, inverse[active], offsets, weights)
        length = np.linalg.norm(step, axis=1)
        seen = np.isfinite(length)
        step *= np.minimum(1, LONGEST_STEP / np.maximum(length, 1e-9))[:, None]
        place[active[seen]] -= np.einsum("nij,nj->ni", warp[active[seen]], step[seen])
        settled[active] = seen & (length < SETTLED)
        active = active[seen & (length >= SETTLED)]
    return _judged(photo, place, warp, wanted, inverse, settled, offsets, weights)


def correlation(photo: np.ndarray, pixel: np.ndarray, warp: np.ndarray, wanted: Templates) -> np.ndarray:
    """Zero-mean normalized cross-correlation [N] at the given places; NaN outside the photo."""
    offsets, weights = window(round(wanted.values.shape[1] ** 0.5))
    found, _ = normalized(sample(photo, pixel, warp, offsets), weights)
    return np.einsum("ns,ns,s->n", found, wanted.values, weights, optimize=True)


def _step(
    photo: np.ndarray,
    pixel: np.ndarray,
    warp: np.ndarray,
    wanted: Templates,
    inverse: np.ndarray,
    offsets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """How far [N, 2], in samples of the reference, the photo's window is off."""
    found, _ = normalized(sample(photo, pixel, warp, offsets), weights)
    residual = (found - wanted.values) * weights
    return np.einsum("nkl,nl->nk", inverse, np.einsum("nsk,ns->nk", wanted.slopes, residual))


def _judged(
    photo: np.ndarray,
    pixel: np.ndarray,
    warp: np.ndarray,
    wanted: Templates,
    inverse: np.ndarray,
    settled: np.ndarray,
    offsets: np.ndarray,
    weights: np.ndarray,
) -> Aligned:
    found, _ = normalized(sample(photo, pixel, np.nan_to_num(warp), offsets), weights)
    zncc = np.einsum("ns,ns,s->n", found, wanted.values, weights, optimize=True)
    zncc[~np.isfinite(warp).all(axis=(1, 2))] = np.nan
    residual = found - wanted.values
    # Samples are correlated over about the smoothing's width, hence fewer than there are.
    independent = 1 / np.square(weights).sum() / 4
    variance = np.maximum(1 - zncc, 0) * 2 / independent
    worst = np.linalg.eigvalsh(np.nan_to_num(inverse, nan=1e6))[:, 1]
    spread = np.sqrt(variance * worst)
    split = np.zeros(len(pixel))
    for half in (offsets[:, 0] < 0, offsets[:, 0] > 0, offsets[:, 1] < 0, offsets[:, 1] > 0):
        split = np.maximum(split, _shift_of(half, residual, wanted, weights))
    split[np.isnan(zncc)] = np.nan
    return Aligned(pixel, zncc, settled & np.isfinite(zncc), spread, split)


def _shift_of(half: np.ndarray, residual: np.ndarray, wanted: Templates, weights: np.ndarray) -> np.ndarray:
    """How far [N] a part of the window would move on its own, in samples; a ridge holds what has no texture."""
    own = np.where(half, weights, 0)
    hessian = np.einsum("nsk,nsl,s->nkl", wanted.slopes, wanted.slopes, own, optimize=True)
    ridge = 0.1 * np.trace(wanted.hessian, axis1=1, axis2=2) / 2
    hessian[:, 0, 0] += ridge
    hessian[:, 1, 1] += ridge
    right = np.einsum("nsk,ns,s->nk", wanted.slopes, residual, own, optimize=True)
    shift = np.einsum("nkl,nl->nk", _inverse(hessian), right)
    return np.linalg.norm(shift, axis=1)


def _inverse(matrices: np.ndarray) -> np.ndarray:
    """Of symmetric matrices [N, 2, 2]; NaN where one has none to speak of."""
    a, b, d = matrices[:, 0, 0], matrices[:, 0, 1], matrices[:, 1, 1]
    determinant = a * d - b * b
    good = determinant > 1e-4 * np.square(a + d) / 4
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(good & (a + d > 1e-6), 1 / determinant, np.nan)
    return np.stack([np.stack([d, -b], 1), np.stack([-b, a], 1)], 1) * scale[:, None, None]
