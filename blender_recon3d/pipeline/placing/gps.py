"""Scale, heading and location from the photos' GPS, and up if the cameras do not determine it.

GPS is unreliable: some photos have 0, 0 or a position kilometers away, which must not affect the rest. So a fit is
first chosen by its median error over small samples (least median of squares, Rousseeuw 1984), then refined by least
squares over the photos that agree with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ..documents.photos_json import PhotoEntry
from ..errors import UserError
from ..wording import MEASURE, Sentence

# WGS 84 (NIMA TR8350.2): the semi-major axis in meters, and the first eccentricity squared.
SEMI_MAJOR = 6_378_137.0
ECCENTRICITY_2 = 6.694_379_990_14e-3
MIN_PHOTOS = 4
OUTLIER = 3.0  # times the median error
ROUNDS = 10
SAMPLES = 1000
SPREAD = 3.0  # times the typical error; photos closer together do not determine scale and heading
NOWHERE = 1e-6  # degrees: a receiver without a fix writes 0, 0
CLOSE = 0.05  # meters; GPS that agrees better than that counts as exact


@dataclass(frozen=True)
class Fix:
    """x east, y north = scale * rotation @ (x, y) + shift, in meters about `origin` (latitude, longitude in degrees).

    error: median distance in meters between the photos' positions and their GPS. used: number of photos used.
    """

    scale: float
    rotation: np.ndarray  # [2, 2]
    shift: np.ndarray  # [2]
    origin: np.ndarray
    error: float
    used: int


@dataclass(frozen=True)
class SpaceFix:
    """The 3D similarity that moves the cameras to their GPS positions.

    up: unit [3] in the model's frame. up_error: its uncertainty in degrees. errors [N]: horizontal distance in meters
    between each camera and its GPS, NaN without GPS. used [N]: which were used. reach: RMS distance in meters of their
    GPS from its center.
    """

    up: np.ndarray
    up_error: float
    errors: np.ndarray
    used: np.ndarray
    reach: float


def places_by_name(photos: Iterable[PhotoEntry]) -> dict[str, list[float]]:
    """Latitude, longitude and height by photo name, from photos.json's entries, without those at 0, 0.

    The height is NaN if a photo has none but others do. Longitudes are continuous across the 180th meridian.
    """
    places = {photo.name: list(photo.gps) for photo in photos if photo.gps and not at_zero(photo)}
    first = next(iter(places.values()), None)
    high = sum(place[2] != 0 for place in places.values())
    for place in places.values():
        if first is not None:
            place[1] = first[1] + (place[1] - first[1] + 180) % 360 - 180
        if high < MIN_PHOTOS:
            place[2] = 0.0
        elif place[2] == 0:  # EXIF without a height
            place[2] = np.nan
    return places


def at_zero(photo: PhotoEntry) -> bool:
    """Whether a photo's GPS is 0, 0, as written by a receiver without a fix."""
    place = photo.gps
    return place is not None and abs(place[0]) < NOWHERE and abs(place[1]) < NOWHERE


def east_north(gps: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Meters [N, 2] east and north of `origin`, from latitude and longitude in degrees [N, 2 or more].

    On the tangent plane of the ellipsoid there: exact to a millimeter within some hundred meters.
    """
    latitude = np.radians(origin[0])
    bend = 1 - ECCENTRICITY_2 * np.sin(latitude) ** 2
    across = SEMI_MAJOR / np.sqrt(bend)  # radius of curvature in the prime vertical
    along = SEMI_MAJOR * (1 - ECCENTRICITY_2) / bend**1.5  # and in the meridian
    turn = (np.radians(gps[:, 1] - origin[1]) + np.pi) % (2 * np.pi) - np.pi
    return np.stack([across * np.cos(latitude) * turn, along * np.radians(gps[:, 0] - origin[0])], axis=1)


def fix_from_gps(places: np.ndarray, gps: np.ndarray) -> Fix:
    """The fix from the photos' positions [N, 2] in the upright model and their latitude and longitude [N, 2].

    Least squares over complex numbers, q = a p + b, without photos that are off by more than OUTLIER times the median.
    UserError if too few photos have GPS, or if they are too close together for its accuracy.
    """
    if len(places) < MIN_PHOTOS:
        raise UserError(
            Sentence(
                f"{len(places)} photos of the model have GPS and {MIN_PHOTOS} are needed: ", MEASURE, "."
            ),
            2,
        )
    origin = np.median(gps[:, :2], axis=0)
    p = places @ [1, 1j]
    q = east_north(gps, origin) @ [1, 1j]
    tried = (_fit(p[pair], q[pair]) for pair in _samples(len(p), 2))
    agreeing = _agreeing(np.abs(a * p + b - q) for a, b in tried)
    for _ in range(ROUNDS):
        a, b = _fit(p[agreeing], q[agreeing])
        error = np.abs(a * p + b - q)
        near = _near(error, agreeing)
        if near.sum() < MIN_PHOTOS or np.array_equal(near, agreeing):
            break
        agreeing = near
    typical = float(np.median(error[agreeing]))
    reach = float(
        np.median(np.abs(q[agreeing] - np.median(q[agreeing].real) - 1j * np.median(q[agreeing].imag)))
    )
    if not abs(a) > 0 or reach < SPREAD * typical:
        raise UserError(
            Sentence(
                f"Cameras and GPS differ by {typical:.1f} m and the photos span only {reach:.1f} m, too little "
                "for scale and heading: ",
                MEASURE,
                ".",
            ),
            2,
        )
    unit = a / abs(a)
    rotation = np.array([[unit.real, -unit.imag], [unit.imag, unit.real]])
    return Fix(abs(a), rotation, np.array([b.real, b.imag]), origin, typical, int(agreeing.sum()))


def fix_in_space(centers: np.ndarray, gps: np.ndarray) -> SpaceFix | None:
    """The fix from camera centers [N, 3] and latitude, longitude, height [N, 3] (NaN: none). None if it is not
    determined: too few positions, or all at one place or on one line.

    Photos with identical GPS, as phones write until the next fix, count as one, at the mean of their cameras.
    """
    known = np.isfinite(gps).all(axis=1)
    places, group = np.unique(gps[known], axis=0, return_inverse=True)
    group = group.reshape(-1)
    if len(places) < MIN_PHOTOS:
        return None
    origin = np.median(gps[known], axis=0)
    q = np.column_stack([east_north(places, origin), places[:, 2] - origin[2]])
    every = centers[known]
    count = np.bincount(group)
    p = np.stack([np.bincount(group, every[:, axis]) / count for axis in range(3)], axis=1)
    if np.linalg.svd(p - p.mean(axis=0), compute_uv=False)[1] < 1e-9:
        return None
    agreeing = _agreeing(
        np.linalg.norm(_moved(_similarity(p[sample], q[sample]), p) - q, axis=1)
        for sample in _samples(len(p), 3)
    )
    for _ in range(ROUNDS):
        similarity = _similarity(p[agreeing], q[agreeing])
        off = _moved(similarity, p) - q
        near = _near(np.linalg.norm(off, axis=1), agreeing)
        if near.sum() < MIN_PHOTOS or np.array_equal(near, agreeing):
            break
        agreeing = near
    moved = off[agreeing] + q[agreeing]
    spread = np.linalg.svd(moved - moved.mean(axis=0), compute_uv=False) / np.sqrt(agreeing.sum())
    noise = float(np.sqrt(np.mean(off[agreeing] ** 2)))
    up_error = float(np.degrees(np.arctan2(noise, spread[1] * np.sqrt(max(agreeing.sum() - 3, 1)))))
    errors, used = np.full(len(centers), np.nan), np.zeros(len(centers), bool)
    errors[known] = np.linalg.norm((_moved(similarity, every) - q[group])[:, :2], axis=1)
    used[known] = agreeing[group]
    return SpaceFix(similarity[1][2], up_error, errors, used, float(np.linalg.norm(q[agreeing].std(axis=0))))


def _moved(similarity: tuple[float, np.ndarray, np.ndarray], points: np.ndarray) -> np.ndarray:
    scale, rotation, shift = similarity
    return np.asarray(scale * points @ rotation.T + shift)


def _samples(count: int, size: int) -> list[np.ndarray]:
    """All index sets of that size if there are few, otherwise SAMPLES random ones."""
    if count <= 18:
        return [np.array(sample) for sample in combinations(range(count), size)]
    generator = np.random.default_rng(0)
    return [generator.choice(count, size, replace=False) for _ in range(SAMPLES)]


def _agreeing(errors: Iterable[np.ndarray]) -> np.ndarray:
    """Which photos agree with the sample of the lowest median error: at least the better half."""
    best = min((error for error in errors if np.isfinite(error).all()), key=np.median)
    return best <= max(float(np.median(best)), CLOSE)


def _near(error: np.ndarray, agreeing: np.ndarray) -> np.ndarray:
    return error <= OUTLIER * max(float(np.median(error[agreeing])), CLOSE)


def _fit(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """(a, b) of q = a p + b."""
    centered = p - p.mean()
    power = float((np.abs(centered) ** 2).sum())
    a = complex((np.conj(centered) * (q - q.mean())).sum() / power) if power > 0 else 0j
    return np.array([a, q.mean() - a * p.mean()])


def _similarity(p: np.ndarray, q: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """q = scale * rotation @ p + shift (Umeyama 1991)."""
    middle_p, middle_q = p.mean(axis=0), q.mean(axis=0)
    left, values, right = np.linalg.svd((q - middle_q).T @ (p - middle_p))
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right)) or 1.0])
    rotation = left @ np.diag(signs) @ right
    power = float(((p - middle_p) ** 2).sum())
    scale = float((values * signs).sum()) / power if power > 0 else 0.0
    return scale, rotation, middle_q - scale * rotation @ middle_p
