"""The model in meters, x east and y north, by the photos' GPS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..documents.placement_json import GpsOrigin
from ..errors import UserError
from .gps import Fix, east_north, fix_from_gps

CLEAR = 8.0  # times GPS's error: the spread of the photos that makes the scale right to a few percent
WIDE = 15.0  # meters; GPS is too coarse for the scale of smaller captures

Placed = tuple[np.ndarray, str, GpsOrigin]


def placed_by_gps(model: Any, known: Mapping[str, Any], upright: np.ndarray) -> Placed:
    """`world_from_model` [4, 4], a clause on its source, and the origin's location. known: latitude, longitude and
    height by photos' names; upright: `world_from_model` with z up. UserError if GPS does not determine it."""
    return _placed(_fix(model, known, upright)[0], upright, model, known)


def placed_by_clear_gps(model: Any, known: Mapping[str, Any], upright: np.ndarray) -> Placed | None:
    """As `placed_by_gps`; None unless the photos are spread widely against their GPS's error, as those of a flight."""
    try:
        fix, reach, error = _fix(model, known, upright)
    except UserError:
        return None
    return _placed(fix, upright, model, known) if reach >= max(CLEAR * error, WIDE) else None


def _fix(model: Any, known: Mapping[str, Any], upright: np.ndarray) -> tuple[Fix, float, float]:
    """The fix, and in meters, as medians over all photos, their distance from their middle and from their GPS: the
    fix's own error is that of the photos that agree, which may be few."""
    images = [image for image in model.images.values() if image.has_pose and image.name in known]
    centers = np.array([image.projection_center() for image in images]).reshape(-1, 3)
    places = centers @ upright[:3, :3].T + upright[:3, 3]
    gps = np.array([known[image.name] for image in images]).reshape(-1, 3)
    fix = fix_from_gps(places[:, :2], gps)
    off = fix.scale * places[:, :2] @ fix.rotation.T + fix.shift - east_north(gps, fix.origin)
    spread = np.linalg.norm(places[:, :2] - np.median(places[:, :2], axis=0), axis=1)
    return fix, fix.scale * float(np.median(spread)), float(np.median(np.linalg.norm(off, axis=1)))


def _placed(fix: Fix, upright: np.ndarray, model: Any, known: Mapping[str, Any]) -> Placed:
    turn = np.eye(4)
    turn[:2, :2] = fix.rotation
    how = (
        f"meters, x east and y north from the GPS of {fix.used} photos, which is off by {fix.error:.1f} "
        "m on average"
    )
    # The origin stays under the subject: far from it, single precision would not be enough for a scene.
    world = np.diag([fix.scale, fix.scale, fix.scale, 1.0]) @ turn @ upright
    about = GpsOrigin(
        latitude_longitude=tuple(fix.origin.tolist()),
        origin_east_north=tuple(fix.shift.tolist()),
        altitude=_altitude(world, model, known),
    )
    return world, how, about


def _altitude(world: np.ndarray, model: Any, known: Mapping[str, Any]) -> float | None:
    """Of the world's origin: the median over the photos whose GPS has one."""
    altitudes = {name: float(place[2]) for name, place in known.items()}
    if not any(np.isfinite(value) and value != 0 for value in altitudes.values()):
        return None
    images = [image for image in model.images.values() if image.has_pose and image.name in altitudes]
    heights = np.array([image.projection_center() for image in images]) @ world[2, :3] + world[2, 3]
    return round(float(np.nanmedian(np.array([altitudes[image.name] for image in images]) - heights)), 3)
