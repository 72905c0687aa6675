"""The weight of each photo at each vertex: by angle, resolution, sharpness, and agreement with the others."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .samples import Samples

ODD = 10.0  # of 255 levels: a color that differs from the others' median by this has weight 0.6
MIN_TO_VOTE = 3  # photos; if only two disagree, either may be wrong
NEVER = 0.01  # minimum weight of an outlier color: it may be the only one
SHARPEST, BLURRIEST = 1.0, 0.4  # detail of a photo relative to the others at the same positions
SMOOTHING = 3  # rounds of averaging over neighboring vertices
CHUNK = 20_000  # vertices
PHOTOS = 8  # at a time
COARSEST = 0.2  # of the finest texels' density, by length


def weights(samples: Samples, gains: np.ndarray, faces: np.ndarray, contrast: float) -> np.ndarray:
    """Weights [V, N] float32 in 0..1, with 1 for the best photo where it is visible; 0 for photos that show nothing.

    contrast: the exponent that emphasizes the best photos. Hidden vertices have weights too, since parts of their faces
    may be visible. Memory beyond the result: a few arrays for PHOTOS photos, or for CHUNK vertices.
    """
    result, sharp = agreement(samples, gains), sharpness(samples)
    ring = neighborhood(faces, len(result))
    for first in range(0, len(sharp), PHOTOS):
        block = np.s_[:, first : first + PHOTOS]
        alike = _smooth(result[block], samples.trust[block] > 0, ring)
        result[block] = samples.faced[block].astype(np.float32) * sharp[first : first + PHOTOS] * alike
    for first in range(0, len(result), CHUNK):
        part = slice(first, first + CHUNK)
        value, seen = result[part], samples.trust[part] > 0
        best = np.where(seen.any(axis=1), np.where(seen, value, 0).max(axis=1), value.max(axis=1))
        relative = np.minimum(value / np.maximum(best, 1e-30)[:, None], 1)
        result[part] = relative**contrast
    return result


def sharpness(samples: Samples) -> np.ndarray:
    """Sharpness of each photo, relative to the others where they show the same: [N] float32."""
    result = np.full(samples.trust.shape[1], SHARPEST, np.float32)
    seen = samples.trust > 0.5
    shared = np.flatnonzero(seen.sum(axis=1) >= 2)[:: max(1, len(seen) // 20_000)]
    if not len(shared):
        return result
    detail = np.where(seen[shared], samples.detail[shared].astype(np.float32), np.nan)
    ratio = detail / np.maximum(np.nanmedian(detail, axis=1), 1.0)[:, None]
    for number in range(len(result)):
        own = ratio[:, number][np.isfinite(ratio[:, number])]
        if len(own) >= 20:
            result[number] = np.clip(np.median(own), BLURRIEST, SHARPEST)
    return result


def fineness(samples: Samples, faces: np.ndarray) -> np.ndarray:
    """The best photo's pixels per length on each face, relative to the maximum over all faces, float32 [F].

    At least COARSEST: hardly visible areas get some texels too.
    """
    shown = np.where(samples.trust > 0, samples.faced, 0).max(axis=1).astype(np.float32)
    result = np.sqrt(shown[faces].mean(axis=1))
    return np.clip(result / max(float(np.percentile(result, 98)), 1e-6), COARSEST, 1)


def agreement(samples: Samples, gains: np.ndarray) -> np.ndarray:
    """How well each sample agrees with the median at its vertex: [V, N] float32 in NEVER..1."""
    result = np.ones(samples.trust.shape, np.float32)
    for first in range(0, len(result), CHUNK):
        part = slice(first, first + CHUNK)
        seen = samples.trust[part] > 0
        color = samples.color[part] * gains
        middle = np.ma.median(np.ma.array(color, mask=~np.repeat(seen[..., None], 3, -1)), axis=1).filled(0)
        off = np.abs(color - middle[:, None]).max(axis=2)
        spread = np.ma.median(np.ma.array(off, mask=~seen), axis=1).filled(0)
        limit = np.maximum(ODD, 2 * spread)[:, None]
        votes = seen.sum(axis=1)[:, None] >= MIN_TO_VOTE
        result[part] = np.where(seen & votes, np.maximum(np.exp(-0.5 * (off / limit) ** 2), NEVER), 1)
    return result


def _smooth(values: np.ndarray, known: np.ndarray, ring: sparse.csr_matrix) -> np.ndarray:
    """Values [V, N] averaged over neighbors where known; unknown ones get their neighbors' values, or remain 1."""
    total, count = np.where(known, values, 0).astype(np.float32), known.astype(np.float32)
    for _ in range(SMOOTHING):
        total, count = ring @ total, ring @ count
    return np.where(count > 1e-6, total / np.maximum(count, 1e-6), 1).astype(np.float32)


def neighborhood(faces: np.ndarray, count: int) -> sparse.csr_matrix:
    """[V, V]: the mean over a vertex and its neighbors."""
    ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    ends = np.concatenate([ends, ends[:, ::-1], np.repeat(np.arange(count), 2).reshape(-1, 2)])
    matrix = sparse.csr_matrix((np.ones(len(ends), np.float32), (ends[:, 0], ends[:, 1])), (count, count))
    matrix.data[:] = 1  # edges of two faces occur twice
    return sparse.diags(1 / np.asarray(matrix.sum(axis=1)).ravel()).astype(np.float32) @ matrix
