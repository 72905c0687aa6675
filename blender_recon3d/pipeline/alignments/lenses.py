"""Convert other programs' lens models to COLMAP's: exactly if COLMAP has the same formula, otherwise by a fit.

Formulas of COLMAP's models: https://colmap.github.io/cameras.html and src/colmap/sensor/models.h.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .camera_alignment import Lens

GRID = 25  # points along each side for a fit
_Size = tuple[int, int]


def brown(
    size: _Size, focal: Sequence[float], center: Sequence[float], radial: Sequence[float] = (),
    tangential: Sequence[float] = (0.0, 0.0), skew: float = 0.0,
) -> Lens:  # fmt: skip
    """x (1 + k1 r^2 + k2 r^4 + k3 r^6 + k4 r^8) and OpenCV's tangential terms.

    focal, center: of x and of y, pixels; tangential: OpenCV's p1, p2; skew: as in the matrix of intrinsics, pixels.
    """
    k1, k2, k3, k4 = (*radial, 0.0, 0.0, 0.0, 0.0)[:4]
    p1, p2 = tangential
    linear = (*focal, *center)
    if not skew and not k4:
        if not any((k1, k2, k3, p1, p2)):
            return _lens("PINHOLE", size, linear)
        if not k3:
            return _lens("OPENCV", size, (*linear, k1, k2, p1, p2))
        return _lens("FULL_OPENCV", size, (*linear, k1, k2, p1, p2, k3, 0.0, 0.0, 0.0))

    def pixels(ideal: np.ndarray) -> np.ndarray:
        x, y = ideal.T
        r2 = x * x + y * y
        factor = 1 + r2 * (k1 + r2 * (k2 + r2 * (k3 + r2 * k4)))
        dx = x * factor + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
        dy = y * factor + 2 * p2 * x * y + p1 * (r2 + 2 * y * y)
        return np.column_stack([focal[0] * dx + skew * dy + center[0], focal[1] * dy + center[1]])

    half = np.array(size) / 2 / np.array(focal)
    ideal = _grid() * half
    return _fitted(size, linear, ideal, pixels(ideal))


def fisheye(
    size: _Size, focal: Sequence[float], center: Sequence[float], radial: Sequence[float] = (),
    tangential: Sequence[float] = (0.0, 0.0),
) -> Lens:  # fmt: skip
    """Equidistant, r = angle, with a polynomial of the angle: a (1 + k1 a^2 + k2 a^4 + k3 a^6 + k4 a^8)."""
    k1, k2, k3, k4 = (*radial, 0.0, 0.0, 0.0, 0.0)[:4]
    p1, p2 = tangential
    linear = (*focal, *center)
    if not (p1 or p2):
        return _lens("OPENCV_FISHEYE", size, (*linear, k1, k2, k3, k4))
    return _lens("THIN_PRISM_FISHEYE", size, (*linear, k1, k2, p1, p2, k3, k4, 0.0, 0.0))


def equisolid(
    size: _Size, focal: Sequence[float], center: Sequence[float], radial: Sequence[float] = (),
    tangential: Sequence[float] = (0.0, 0.0),
) -> Lens:  # fmt: skip
    """r = 2 sin(angle / 2), then a polynomial of r: r (1 + k1 r^2 + k2 r^4 + k3 r^6 + k4 r^8). Fitted."""

    def radius(angle: np.ndarray) -> np.ndarray:
        r = 2 * np.sin(angle / 2)
        return np.asarray(r * (1 + r**2 * np.polynomial.polynomial.polyval(r**2, [*radial, 0.0])))

    return fisheye_of(size, focal, center, radius, tangential)


def fisheye_of(
    size: _Size, focal: Sequence[float], center: Sequence[float],
    radius: Callable[[np.ndarray], np.ndarray], tangential: Sequence[float] = (0.0, 0.0),
) -> Lens:  # fmt: skip
    """A fisheye whose radius is any odd function of the angle, equal to the angle to first order. Fitted."""
    angle = np.linspace(0.0, np.pi, 721)[1:]
    inside = radius(angle) * min(focal) <= np.hypot(*size) / 2
    angle = angle[: max(8, int(np.argmin(inside)) if not inside.all() else len(angle))]
    powers = angle[:, None] ** [3, 5, 7, 9]
    target = radius(angle) - angle
    terms = np.linalg.lstsq(powers, target, rcond=None)[0]
    error = float(np.abs(powers @ terms - target).max() * max(focal))
    fitted = fisheye(size, focal, center, terms.tolist(), tangential)
    return _lens(fitted.model, size, fitted.params, error)


def undistorting(
    size: _Size, focal: Sequence[float], center: Sequence[float], factor: Callable[[np.ndarray], np.ndarray]
) -> Lens:
    """A model that maps distorted to ideal: ideal = distorted * factor(r^2), both in focal lengths. Fitted."""
    distorted = _grid() * np.array(size) / 2 / np.array(focal)
    ideal = distorted * factor((distorted**2).sum(axis=1))[:, None]
    if np.allclose(ideal, distorted, atol=1e-12):
        return _lens("PINHOLE", size, (*focal, *center))
    return _fitted(size, (*focal, *center), ideal, distorted * np.array(focal) + np.array(center))


def _grid() -> np.ndarray:
    """Points [N, 2] from -1 to 1."""
    line = np.linspace(-1, 1, GRID)
    return np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)


def _lens(model: str, size: _Size, params: Sequence[float], error: float = 0.0) -> Lens:
    return Lens(model, int(size[0]), int(size[1]), tuple(float(value) for value in params), error)


def _fitted(size: _Size, linear: Sequence[float], ideal: np.ndarray, pixels: np.ndarray) -> Lens:
    """FULL_OPENCV fitted by least squares over the photo, with the largest error."""
    from scipy.optimize import least_squares

    fx, fy, cx, cy = linear
    scale = np.array([fx, fy, 1, 1, *[1.0] * 8])
    start = np.array([1, 1, cx, cy, *[0.0] * 8])

    def residuals(params: np.ndarray) -> np.ndarray:
        return np.asarray(full_opencv(params * scale, ideal) - pixels).ravel()

    fit = least_squares(residuals, start, x_scale="jac", method="trf", max_nfev=200)
    error = float(np.linalg.norm(residuals(fit.x).reshape(-1, 2), axis=1).max())
    return _lens("FULL_OPENCV", size, fit.x * scale, error)


def full_opencv(params: Sequence[float] | np.ndarray, ideal: np.ndarray) -> np.ndarray:
    """COLMAP's FULL_OPENCV: pixels [N, 2] of ideal points [N, 2] at depth 1."""
    fx, fy, cx, cy, k1, k2, p1, p2, k3, k4, k5, k6 = params
    x, y = ideal.T
    r2 = x * x + y * y
    factor = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
    dx = x * factor + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
    dy = y * factor + 2 * p2 * x * y + p1 * (r2 + 2 * y * y)
    return np.column_stack([fx * dx + cx, fy * dy + cy])
