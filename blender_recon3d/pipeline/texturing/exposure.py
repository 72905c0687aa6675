"""One gain for each photo and channel, so that photos agree on what they share."""

from __future__ import annotations

import numpy as np

from .samples import Samples

DARKEST, BRIGHTEST = (
    12,
    243,
)  # values of 255: nearer to the ends they are clipped, and say nothing about gains
TRUSTED = 0.5  # minimum trust of a sample that gains are found from
MAX_VERTICES = 30_000  # more say the same
LOOSE = 0.08  # log of color: samples that differ by more count less and less
ROUNDS = 8
STAY = 1e-3  # of a photo's samples: holds photos that share nothing with others at a gain of 1
LARGEST = 2.0  # gain, either way: more is not an exposure


def gains(samples: Samples) -> np.ndarray:
    """What to multiply each photo's values with, float32 [N, 3]; their geometric mean is 1 in each channel.

    Minimizes the differences between the logs of corrected colors and their means at each vertex: the means are
    eliminated, which leaves a system of N unknowns, solved again and again with weights after Geman and McClure,
    since some samples show something else (reflections, passers-by, errors of the mesh). Brown and Lowe (2007)
    solve for gains between panorama images likewise.
    """
    count = samples.trust.shape[1]
    found = np.zeros((count, 3))
    used = np.flatnonzero((samples.trust > TRUSTED).sum(axis=1) > 1)
    used = used[:: max(1, len(used) // MAX_VERTICES)]
    for channel in range(3):
        values = samples.color[used, :, channel]
        good = (samples.trust[used] > TRUSTED) & (values >= DARKEST) & (values <= BRIGHTEST)
        shared = good.sum(axis=1) > 1
        good = good[shared]
        logs = np.where(good, np.log(np.maximum(values[shared], 1)), 0).astype(np.float32)
        found[:, channel] = _solve(logs, good.astype(np.float32), count)
    limit = np.log(LARGEST)
    return np.exp(np.clip(found, -limit, limit)).astype(np.float32)


def _solve(logs: np.ndarray, good: np.ndarray, count: int) -> np.ndarray:
    """Log gains [N] from log values [V, N] and which of them count."""
    gain, weight = np.zeros(count), good
    for _ in range(ROUNDS):
        total = np.maximum(weight.sum(axis=1), 1e-9)
        mean = (weight * logs).sum(axis=1) / total
        share = weight / total[:, None]
        matrix = np.diag(weight.sum(axis=0).astype(np.float64)) - (weight.T @ share)
        right = -(weight * (logs - mean[:, None])).sum(axis=0).astype(np.float64)
        matrix += np.diag(STAY * good.sum(axis=0) + 1e-6)
        gain = np.linalg.solve(matrix, right)
        gain -= gain.mean()
        corrected = logs + gain.astype(np.float32)
        middle = (weight * corrected).sum(axis=1) / total
        residual = (corrected - middle[:, None]) / LOOSE
        weight = good / (1 + residual * residual) ** 2
    return gain
