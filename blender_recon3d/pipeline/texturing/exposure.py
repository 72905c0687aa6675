"""One gain per photo and channel, so that photos agree where they overlap."""

from __future__ import annotations

import numpy as np

from .samples import Samples

DARKEST, BRIGHTEST = (
    12,
    243,
)  # of 255 levels: values beyond may be clipped, and are useless for gains
TRUSTED = 0.5  # minimum trust of a sample used for gains
MAX_VERTICES = 30_000  # more do not improve the result
LOOSE = 0.08  # log of color: samples that differ by more have decreasing weight
ROUNDS = 8
STAY = 1e-3  # of a photo's samples: keeps photos without overlap at a gain of 1
LARGEST = 2.0  # gain, in either direction: more is not an exposure difference


def gains(samples: Samples) -> np.ndarray:
    """The factors for each photo's values, float32 [N, 3]; their geometric mean is 1 in each channel.

    Minimizes the differences between the logs of corrected colors and their means at each vertex: the means are
    eliminated, which leaves a system of N unknowns, solved repeatedly with weights after Geman and McClure, since some
    samples show something else (reflections, passers-by, errors of the mesh). Brown and Lowe (2007) solve for gains
    between panorama images in the same way.
    """
    count = samples.trust.shape[1]
    log_gains = np.zeros((count, 3))
    used = np.flatnonzero((samples.trust > TRUSTED).sum(axis=1) > 1)
    used = used[:: max(1, len(used) // MAX_VERTICES)]
    for channel in range(3):
        values = samples.color[used, :, channel]
        valid = (samples.trust[used] > TRUSTED) & (values >= DARKEST) & (values <= BRIGHTEST)
        shared = valid.sum(axis=1) > 1
        valid = valid[shared]
        logs = np.where(valid, np.log(np.maximum(values[shared], 1)), 0).astype(np.float32)
        log_gains[:, channel] = _solve(logs, valid.astype(np.float32), count)
    limit = np.log(LARGEST)
    return np.exp(np.clip(log_gains, -limit, limit)).astype(np.float32)


def _solve(logs: np.ndarray, valid: np.ndarray, count: int) -> np.ndarray:
    """Log gains [N] from log values [V, N] and which of them are valid."""
    gain, weight = np.zeros(count), valid
    for _ in range(ROUNDS):
        total = np.maximum(weight.sum(axis=1), 1e-9)
        mean = (weight * logs).sum(axis=1) / total
        share = weight / total[:, None]
        matrix = np.diag(weight.sum(axis=0).astype(np.float64)) - (weight.T @ share)
        right = -(weight * (logs - mean[:, None])).sum(axis=0).astype(np.float64)
        matrix += np.diag(STAY * valid.sum(axis=0) + 1e-6)
        gain = np.linalg.solve(matrix, right)
        gain -= gain.mean()
        corrected = logs + gain.astype(np.float32)
        middle = (weight * corrected).sum(axis=1) / total
        residual = (corrected - middle[:, None]) / LOOSE
        weight = valid / (1 + residual * residual) ** 2
    return gain
