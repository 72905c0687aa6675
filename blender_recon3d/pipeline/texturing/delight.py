"""Takes the light out of the colors: what varies slowly with the direction that the surface faces, and with how much
of the sky it sees.

Light from far away on a matte surface is a combination of nine functions of its normal (Ramamoorthi and Hanrahan
2001), dimmed by ambient occlusion. They are fitted to the colors of the whole surface, on the assumption that its
material does not depend on the direction it faces, and divided out. Cast shadows and highlights stay.
"""

from __future__ import annotations

import numpy as np

ROUNDS = 8
LOOSE = 0.5  # of the fit: colors that differ by more, because of their material, have decreasing weight
DARKEST, BRIGHTEST = 0.2, 3.0  # of the median light: noise must not be amplified
MAX_VERTICES = 100_000  # more do not improve the fit


def light_on(color: np.ndarray, normals: np.ndarray, open_share: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The light's brightness in each channel, relative to its median, float32 [V, 3].

    color [V, 3] in 0..255, sRGB; unit normals [V, 3]; open_share [V]: see `ambient_occlusion`; seen [V]: bool, whether
    a photo shows the vertex, so that its color is used.
    """
    basis = _basis(normals, open_share)
    used = np.flatnonzero(seen)
    used = used[:: max(1, len(used) // MAX_VERTICES)]
    if len(used) < 10 * basis.shape[1]:
        return np.ones_like(color, np.float32)
    linear = to_linear(color[used])
    result = np.empty(color.shape, np.float32)
    for channel in range(3):
        fitted = basis @ _fit(basis[used], linear[:, channel])
        middle = max(float(np.median(fitted[used])), 1e-6)
        result[:, channel] = np.clip(fitted / middle, DARKEST, BRIGHTEST)
    return result


def without_light(color: np.ndarray, light: np.ndarray, strength: float) -> np.ndarray:
    """Colors [N, 3] in 0..255, sRGB, with the light [N, 3] divided out; strength 0: not at all, 1: as fitted."""
    return to_srgb(to_linear(color) / np.maximum(light, DARKEST) ** strength)


def to_linear(color: np.ndarray) -> np.ndarray:
    """sRGB in 0..255 to linear in 0..1, float32; brighter values beyond."""
    value = (np.maximum(color, 0) / 255).astype(np.float32)
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """The inverse of `to_linear`."""
    value = np.maximum(linear, 0)
    return 255 * np.where(value <= 0.0031308, 12.92 * value, 1.055 * value ** (1 / 2.4) - 0.055)


def _basis(normals: np.ndarray, open_share: np.ndarray) -> np.ndarray:
    """[V, 10]: spherical harmonics up to the second degree, dimmed by occlusion, and light from the surface around."""
    x, y, z = normals.T.astype(np.float64)
    harmonics = [np.ones_like(x), x, y, z, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y]
    return np.column_stack([np.stack(harmonics, axis=1) * open_share[:, None], 1 - open_share])


def _fit(basis: np.ndarray, linear: np.ndarray) -> np.ndarray:
    """Coefficients [10], with relative errors weighted after Geman and McClure."""
    weight = 1 / np.maximum(linear, np.median(linear) * DARKEST + 1e-6) ** 2
    ridge = 1e-6 * np.eye(basis.shape[1])
    for _ in range(ROUNDS):
        matrix = basis.T @ (weight[:, None] * basis)
        right = basis.T @ (weight * linear)
        solution = np.linalg.solve(matrix + ridge * np.trace(matrix), right)
        fitted = np.maximum(basis @ solution, 1e-3)
        off = (linear / fitted - 1) / LOOSE
        weight = 1 / fitted**2 / (1 + off * off) ** 2
    return solution
