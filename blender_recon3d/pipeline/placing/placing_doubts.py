"""Evidence against a placement: an up axis that is only a guess, and GPS that contradicts the cameras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..doubts import Doubt
from ..text import named
from .gps import SpaceFix, fix_in_space
from .up import Up

UP = "up"  # the kind of a doubt
WIDE = 30.0  # meters; GPS is too coarse to check captures with a smaller spread
APART = 10.0  # meters; typical error of a phone's GPS
SHARE = 0.1  # of the reach
ALONE = 5.0  # times the typical error, and
ALONE_METERS = 20.0  # at least this far: a single photo that GPS contradicts


def placing_doubts(model: Any, gps: Mapping[str, Any], up: Up) -> list[Doubt]:
    """model: pycolmap.Reconstruction; gps: latitude, longitude and height by photos' names."""
    doubts = [up_is_a_guess(up)] if up.guess else []
    fix, names = _fix(model, gps)
    return doubts + (gps_doubts(fix, names) if fix is not None else [])


def contradicted_by_gps(model: Any, gps: Mapping[str, Any]) -> bool:
    """Whether GPS contradicts most of the cameras."""
    fix, _ = _fix(model, gps)
    return fix is not None and _contradicts(fix)


def _contradicts(fix: SpaceFix) -> bool:
    return fix.reach >= WIDE and float(np.nanmedian(fix.errors)) > max(APART, SHARE * fix.reach)


def _fix(model: Any, gps: Mapping[str, Any]) -> tuple[SpaceFix | None, list[str]]:
    """The fix of the cameras by GPS, and their photos' names."""
    images = [model.image(image_id) for image_id in sorted(model.reg_image_ids())]
    centers = np.array([image.projection_center() for image in images]).reshape(-1, 3)
    known = np.array([gps.get(image.name, (np.nan,) * 3) for image in images], float).reshape(-1, 3)
    return fix_in_space(centers, known), [image.name for image in images]


def up_is_a_guess(up: Up) -> Doubt:
    return Doubt(
        UP,
        f"The up axis is a guess, from {up.source}: there is no GPS or gravity data to confirm it.",
        "If the model lies on its side or is upside down, correct it in Blender with Align to 3 Points or Up "
        "Axis.",
    )


def gps_doubts(fix: SpaceFix, names: list[str]) -> list[Doubt]:
    """names [N] of the fix's photos."""
    if fix.reach < WIDE:
        return []
    typical = float(np.nanmedian(fix.errors))
    if _contradicts(fix):
        return [
            Doubt(
                "gps",
                f"The cameras are {typical:.0f} m (median) away from the photos' GPS, in a capture "
                f"{2 * fix.reach:.0f} m wide: the cameras, or the GPS, are likely wrong.",
                "Take photos that overlap more, or check their GPS.",
            )
        ]
    limit = max(ALONE * typical, ALONE_METERS)
    far = [name for name, error in zip(names, fix.errors, strict=True) if error > limit]
    if not far:
        return []
    return [
        Doubt(
            "gps",
            f"GPS of {named(far)} is up to {np.nanmax(fix.errors):.0f} m away from their cameras; the other photos "
            f"agree to {typical:.0f} m.",
            "Their GPS is ignored. If it is right, leave these photos out.",
            tuple(far),
        )
    ]
