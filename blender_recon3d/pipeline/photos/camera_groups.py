"""Photos grouped into cameras, and the first guess of each camera's intrinsics."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from ..errors import UserError
from ..events import Progress
from ..settings import PhotosSettings
from .focal_lengths import drop_absurd, focal_prior, zooms_included

DEFAULT_FOCAL = 1.2  # of the longest side: COLMAP's guess
CIRCULAR = 1.5  # radians from the axis to the edge of a circular fisheye's photo: 172 degrees across
FULL_FRAME = 1.3  # to the corner of one that fills the frame, as action cameras do: 149 degrees
ROUND = 1.1  # sides that differ by less hold a circle


def group_cameras(
    entries: list[dict[str, Any]], settings: PhotosSettings, progress: Progress
) -> list[dict[str, Any]]:
    """Give each used photo of photos.json its `camera` and `focal_prior_px`; returns the cameras.

    A camera: {"id" from 1, "model", "width", "height", "params", "prior": "given"|"exif"|"table"|"assumed"|"none",
    "photos": count}; params in pixels in COLMAP's order. Photos share one when make, model, focal length and
    size agree (a photo turned upright has another size, and so another camera).
    """
    used = [entry for entry in entries if entry["state"] == "used"]
    drop_absurd(used, progress)
    included = zooms_included(used)
    groups: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for number, entry in enumerate(entries):
        if entry["state"] == "used":
            groups[_key(entry, number, settings.grouping)].append(entry)
    cameras = []
    for number, members in enumerate(groups.values(), 1):
        first = members[0]
        focal, prior = focal_prior(first, included)
        start = None if focal or "FISHEYE" not in settings.camera_model else _fisheye_focal(first)
        prior = "assumed" if start else prior
        params = _params(
            settings, focal or start or DEFAULT_FOCAL * max(first["width"], first["height"]), first
        )
        for entry in members:
            entry["camera"] = number
            entry["focal_prior_px"] = round(focal, 3) if focal else None
        cameras.append(
            {
                "id": number,
                "model": settings.camera_model,
                "width": first["width"],
                "height": first["height"],
                "params": params,
                "prior": "given" if settings.camera_params else prior,
                "photos": len(members),
            }
        )
    if settings.camera_params and len(cameras) > 1:
        progress.warning(
            f"The given camera parameters are used for all {len(cameras)} cameras found: take photos of one "
            "camera and one size, or leave --camera-params out."
        )
    return cameras


def _key(entry: dict[str, Any], number: int, grouping: str) -> Any:
    size = (entry["width"], entry["height"])
    if grouping == "each":
        return number
    if grouping == "single":
        return size
    return (
        entry["make"],
        entry["model"],
        entry["focal_mm"],
        entry["focal_35mm"],
        entry.get("digital_zoom"),
        size,
    )


def _fisheye_focal(entry: dict[str, Any]) -> float:
    """A start for an equidistant fisheye, r = f * angle. COLMAP cannot relate two of its photos without one."""
    short, long = sorted((entry["width"], entry["height"]))
    if long < ROUND * short:  # the whole circle is in the photo
        return short / (2 * CIRCULAR)
    return float(np.hypot(short, long) / (2 * FULL_FRAME))


def check_camera(settings: PhotosSettings) -> None:
    """UserError (2) when the given camera parameters are not what the camera model takes."""
    if settings.camera_params:
        _params(settings, 1.0, {"width": 1, "height": 1})


def _params(settings: PhotosSettings, focal: float, entry: dict[str, Any]) -> list[float]:
    from ..colmap.calls import pycolmap

    guess = pycolmap.Camera.create_from_model_name(
        0, settings.camera_model, focal, entry["width"], entry["height"]
    )
    if not settings.camera_params:
        return [float(value) for value in guess.params]
    try:
        params = [float(part) for part in settings.camera_params.split(",")]
    except ValueError as error:
        raise UserError(
            f"--camera-params {settings.camera_params!r}: give numbers with commas.", 2
        ) from error
    if len(params) != len(guess.params) or not np.isfinite(params).all():
        raise UserError(
            f"--camera-params has {len(params)} numbers and {settings.camera_model} takes {len(guess.params)} "
            f"({guess.params_info}).",
            2,
        )
    return params
