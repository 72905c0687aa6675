"""Scale, heading and place from the photos' GPS.

GPS heights are worth little, and which way is up the cameras know better: so only the horizontal part is used, a
similarity of the plane, after the model has been stood up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import UserError

# WGS 84 (NIMA TR8350.2): the semi-major axis in metres, and the first eccentricity squared.
SEMI_MAJOR = 6_378_137.0
ECCENTRICITY_2 = 6.694_379_990_14e-3
LEAST_PHOTOS = 4
OUTLIER = 3.0  # times the median error
ROUNDS = 10
SPREAD = 3.0  # times the typical error: photos that stand closer together say nothing of scale and heading


@dataclass(frozen=True)
class Fix:
    """x east, y north = scale * rotation @ (x, y) + shift, in metres about `origin` (latitude, longitude in degrees).

    error: median distance in metres between where the photos are and where GPS puts them; used: how many count.
    """

    scale: float
    rotation: np.ndarray  # [2, 2]
    shift: np.ndarray  # [2]
    origin: np.ndarray
    error: float
    used: int


def east_north(gps: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Metres [N, 2] east and north of `origin`, from latitude and longitude in degrees [N, 2 or more].

    On the plane that touches the ellipsoid there: exact to a millimetre within some hundred metres.
    """
    latitude = np.radians(origin[0])
    bend = 1 - ECCENTRICITY_2 * np.sin(latitude) ** 2
    across = SEMI_MAJOR / np.sqrt(bend)  # radius of curvature in the prime vertical
    along = SEMI_MAJOR * (1 - ECCENTRICITY_2) / bend**1.5  # and in the meridian
    turn = (np.radians(gps[:, 1] - origin[1]) + np.pi) % (2 * np.pi) - np.pi
    return np.stack([across * np.cos(latitude) * turn, along * np.radians(gps[:, 0] - origin[0])], axis=1)


def fix_from_gps(places: np.ndarray, gps: np.ndarray) -> Fix:
    """From the photos' places [N, 2] in the upright model and their latitude and longitude [N, 2].

    Least squares over complex numbers, q = a p + b, without photos that are off by more than OUTLIER times the
    median. UserError where too few photos have GPS or they stand too close together for what it is worth.
    """
    if len(places) < LEAST_PHOTOS:
        raise UserError(
            f"{len(places)} photos of the model have GPS and {LEAST_PHOTOS} are needed: use --marker-size or --scale.",
            2,
        )
    origin = np.median(gps[:, :2], axis=0)
    p = places @ [1, 1j]
    q = east_north(gps, origin) @ [1, 1j]
    kept = np.ones(len(p), bool)
    for _ in range(ROUNDS):
        a, b = _fit(p[kept], q[kept])
        error = np.abs(a * p + b - q)
        near = error <= OUTLIER * max(float(np.median(error)), 1e-9)
        if near.sum() < LEAST_PHOTOS or np.array_equal(near, kept):
            break
        kept = near
    typical = float(np.median(error[kept]))
    reach = float(np.median(np.abs(q[kept] - np.median(q[kept].real) - 1j * np.median(q[kept].imag))))
    if not abs(a) > 0 or reach < SPREAD * typical:
        raise UserError(
            f"GPS is off by {typical:.1f} m here and the photos stand {reach:.1f} m about their middle, too close "
            "for scale and heading: use --marker-size or --scale.",
            2,
        )
    unit = a / abs(a)
    rotation = np.array([[unit.real, -unit.imag], [unit.imag, unit.real]])
    return Fix(abs(a), rotation, np.array([b.real, b.imag]), origin, typical, int(kept.sum()))


def _fit(p: np.ndarray, q: np.ndarray) -> tuple[complex, complex]:
    centred = p - p.mean()
    power = float((np.abs(centred) ** 2).sum())
    a = complex((np.conj(centred) * (q - q.mean())).sum() / power) if power > 0 else 0j
    return a, complex(q.mean() - a * p.mean())
