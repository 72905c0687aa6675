"""Photos grouped into cameras, and the first guess of each camera's intrinsics."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError
from ..events import Progress
from ..settings import PhotosSettings
from .image_files import focal_pixels

DEFAULT_FOCAL = 1.2  # of the longest side: COLMAP's guess


def group_cameras(
    entries: list[dict[str, Any]], settings: PhotosSettings, progress: Progress
) -> list[dict[str, Any]]:
    """Give each used photo of photos.json its `camera` and `focal_prior_px`; returns the cameras.

    A camera: {"id" from 1, "model", "width", "height", "params", "prior": "given"|"exif"|"table"|"none",
    "photos": count}; params in pixels in COLMAP's order. Photos share one when make, model, focal length and
    size agree (a photo turned upright has another size, and so another camera).
    """
    groups: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for number, entry in enumerate(entries):
        if entry["state"] == "used":
            groups[_key(entry, number, settings.grouping)].append(entry)
    cameras = []
    for number, members in enumerate(groups.values(), 1):
        first = members[0]
        focal, prior = _focal_prior(first)
        params = _params(settings, focal or DEFAULT_FOCAL * max(first["width"], first["height"]), first)
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
    return (entry["make"], entry["model"], entry["focal_mm"], entry["focal_35mm"], size)


def _focal_prior(entry: dict[str, Any]) -> tuple[float | None, str]:
    """Focal length in pixels and where it comes from: EXIF, COLMAP's table of sensors, or nowhere."""
    if entry["focal_35mm"]:
        return focal_pixels(entry["focal_35mm"], entry["width"], entry["height"]), "exif"
    if entry["focal_mm"] and entry["sensor_mm"]:
        return entry["focal_mm"] / entry["sensor_mm"] * max(entry["width"], entry["height"]), "exif"
    if entry["focal_mm"] and entry["model"]:
        from ..colmap.calls import pycolmap

        try:
            camera = pycolmap.infer_camera_from_image(Path(entry["source"]))
        except (RuntimeError, ValueError):  # a format COLMAP does not read: then it knows nothing either
            return None, "none"
        if camera.has_prior_focal_length:
            scale = max(entry["width"], entry["height"]) / max(camera.width, camera.height)
            return float(camera.mean_focal_length()) * scale, "table"
    return None, "none"


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
