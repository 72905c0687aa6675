"""How much each photo counts at each vertex: by angle, resolution, sharpness, and whether it agrees with the others."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .samples import Samples

ODD = 10.0  # values of 255: a color that differs from the others' median by this counts 0.6
MIN_TO_VOTE = 3  # photos; of two that disagree, nobody can say which is wrong
NEVER = 0.01  # minimum weight of an odd color: it may be the only one
SHARPEST, BLURRIEST = 1.0, 0.4  # detail of a photo relative to the others at the same places
SMOOTHING = 3  # rounds of taking the mean over neighboring vertices
CHUNK = 20_000  # vertices
COARSEST = 0.2  # of the finest texels' density, by length


def weights(samples: Samples, gains: np.ndarray, faces: np.ndarray, contrast: float) -> np.ndarray:
    """Weights [V, N] float32 in 0..1, the best photo's being 1 where it is seen; 0 for photos that show nothing.

    contrast: the power that makes the best photos count more. Hidden vertices have weights too, since parts of
    their faces may be seen.
    """
    value = samples.faced.astype(np.float32) * sharpness(samples)
    value *= _smooth(agreement(samples, gains), samples.trust > 0, faces)
    seen = samples.trust > 0
    best = np.where(seen.any(axis=1), np.where(seen, value, 0).max(axis=1), value.max(axis=1))
    relative = np.minimum(value / np.maximum(best, 1e-30)[:, None], 1)
    return relative**contrast


def sharpness(samples: Samples) -> np.ndarray:
    """Of each photo, relative to the others where they see the same: [N] float32."""
    found = np.full(samples.trust.shape[1], SHARPEST, np.float32)
    seen = samples.trust > 0.5
    shared = np.flatnonzero(seen.sum(axis=1) >= 2)[:: max(1, len(seen) // 20_000)]
    if not len(shared):
        return found
    detail = np.where(seen[shared], samples.detail[shared].astype(np.float32), np.nan)
    ratio = detail / np.maximum(np.nanmedian(detail, axis=1), 1.0)[:, None]
    for number in range(len(found)):
        own = ratio[:, number][np.isfinite(ratio[:, number])]
        if len(own) >= 20:
            found[number] = np.clip(np.median(own), BLURRIEST, SHARPEST)
    return found


def fineness(samples: Samples, faces: np.ndarray) -> np.ndarray:
    """Pixels that the best photo has for a length on each face, relative to the most of all faces, float32 [F].

    Not less than COARSEST: what is hardly seen gets some texels too.
    """
    shown = np.where(samples.trust > 0, samples.faced, 0).max(axis=1).astype(np.float32)
    found = np.sqrt(shown[faces].mean(axis=1))
    return np.clip(found / max(float(np.percentile(found, 98)), 1e-6), COARSEST, 1)


def agreement(samples: Samples, gains: np.ndarray) -> np.ndarray:
    """How far each sample agrees with the median of those at its vertex: [V, N] float32 in NEVER..1."""
    found = np.ones(samples.trust.shape, np.float32)
    for first in range(0, len(found), CHUNK):
        part = slice(first, first + CHUNK)
        seen = samples.trust[part] > 0
        color = samples.color[part] * gains
        middle = np.ma.median(np.ma.array(color, mask=~np.repeat(seen[..., None], 3, -1)), axis=1).filled(0)
        off = np.abs(color - middle[:, None]).max(axis=2)
        spread = np.ma.median(np.ma.array(off, mask=~seen), axis=1).filled(0)
        limit = np.maximum(ODD, 2 * spread)[:, None]
        votes = seen.sum(axis=1)[:, None] >= MIN_TO_VOTE
        found[part] = np.where(seen & votes, np.maximum(np.exp(-0.5 * (off / limit) ** 2), NEVER), 1)
    return found


def _smooth(values: np.ndarray, known: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Values [V, N] averaged over neighbors where they are known; others take them from neighbors, or stay 1."""
    ring = neighborhood(faces, len(values))
    total, count = np.where(known, values, 0).astype(np.float32), known.astype(np.float32)
    for _ in range(SMOOTHING):
        total, count = ring @ total, ring @ count
    return np.where(count > 1e-6, total / np.maximum(count, 1e-6), 1).astype(np.float32)


def neighborhood(faces: np.ndarray, count: int) -> sparse.csr_matrix:
    """[V, V]: the mean over a vertex and its neighbors."""
    ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    ends = np.concatenate([ends, ends[:, ::-1], np.repeat(np.arange(count), 2).reshape(-1, 2)])
    matrix = sparse.csr_matrix((np.ones(len(ends), np.float32), (ends[:, 0], ends[:, 1])), (count, count))
    matrix.data[:] = 1  # edges of two faces are there twice
    return sparse.diags(1 / np.asarray(matrix.sum(axis=1)).ravel()).astype(np.float32) @ matrix
