"""Photos grouped into cameras, and the first guess of each camera's intrinsics."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..documents.photos_json import CameraEntry, FocalPrior, PhotoEntry
from ..errors import UserError
from ..events import Progress
from ..stage_settings import PhotosSettings
from ..wording import Sentence, leave_out, option
from .focal_lengths import drop_absurd, focal_prior, zooms_included
from .panorama_views import VIEW_MODEL, view_params

DEFAULT_FOCAL = 1.2  # of the longest side: COLMAP's guess
CIRCULAR = 1.5  # radians from the axis to the edge of a circular fisheye's image: 172 degrees across
FULL_FRAME = 1.3  # to the corner of a full-frame fisheye, as on action cameras: 149 degrees
ROUND = 1.1  # an aspect ratio below this means a circular image


def group_cameras(
    entries: list[PhotoEntry], settings: PhotosSettings, progress: Progress
) -> tuple[list[PhotoEntry], list[CameraEntry]]:
    """The entries, each used one with its `camera` and `focal_prior_px`, and the cameras.

    Photos share a camera when make, model, focal length and size agree (a photo turned upright has another size, and
    so another camera).
    """
    entries = drop_absurd(entries, progress)
    included = zooms_included(entry for entry in entries if entry.used)
    groups: dict[Any, list[int]] = defaultdict(list)
    for place, entry in enumerate(entries):
        if entry.used:
            groups[_key(entry, place, settings.grouping)].append(place)
    cameras = []
    for number, members in enumerate(groups.values(), 1):
        first = entries[members[0]]
        size = (first.width, first.height)
        focal, prior = focal_prior(first, included)
        start = None if focal or "FISHEYE" not in settings.camera_model else fisheye_focal(size)
        prior = FocalPrior.ASSUMED if start else prior
        if first.side:
            params, prior = view_params(first.width), FocalPrior.GIVEN
        else:
            params = _params(settings, focal or start or DEFAULT_FOCAL * max(size), size)
            prior = FocalPrior.GIVEN if settings.camera_params else prior
        for place in members:
            entries[place] = replace(
                entries[place], camera=number, focal_prior_px=round(focal, 3) if focal else None
            )
        cameras.append(
            CameraEntry(
                id=number,
                model=VIEW_MODEL if first.side else settings.camera_model,
                width=first.width,
                height=first.height,
                params=params,
                prior=prior,
                photos=len(members),
            )
        )
    others = sum(camera.model != VIEW_MODEL for camera in cameras)
    if settings.camera_params and others > 1:
        progress.warning(
            Sentence(
                f"The given camera parameters are used for all {others} cameras: use photos of one camera "
                "and one size, or ",
                leave_out("camera_params"),
                ".",
            )
        )
    return entries, cameras


def _key(entry: PhotoEntry, number: int, grouping: str) -> Any:
    size = (entry.width, entry.height)
    if entry.side:
        return ("panorama", entry.side, size)
    if entry.sensor and grouping != "single":
        return (
            "rig",
            entry.sensor,
            Path(entry.source).parent.parent,
            entry.focal_mm,
            entry.digital_zoom,
            size,
        )
    if grouping == "each":
        return number
    if grouping == "single":
        return size
    return (entry.make, entry.model, entry.focal_mm, entry.focal_35mm, entry.digital_zoom, size)


def fisheye_focal(size: tuple[int, int]) -> float:
    """Initial focal length of an equidistant fisheye, r = f * angle. COLMAP cannot match its photos without one."""
    short, long = sorted(size)
    if long < ROUND * short:  # the whole image circle is visible
        return short / (2 * CIRCULAR)
    return float(np.hypot(short, long) / (2 * FULL_FRAME))


def check_camera(settings: PhotosSettings) -> None:
    """UserError (2) if the given camera parameters do not fit the camera model."""
    if settings.camera_params:
        _params(settings, 1.0, (1, 1))


def _params(settings: PhotosSettings, focal: float, size: tuple[int, int]) -> list[float]:
    from ..colmap.calls import pycolmap

    guess = pycolmap.Camera.create_from_model_name(0, settings.camera_model, focal, *size)
    if not settings.camera_params:
        return [float(value) for value in guess.params]
    try:
        params = [float(part) for part in settings.camera_params.split(",")]
    except ValueError as error:
        raise UserError(
            Sentence(
                option("camera_params"), f" {settings.camera_params!r}: enter numbers separated by commas."
            ),
            2,
        ) from error
    if len(params) != len(guess.params) or not np.isfinite(params).all():
        raise UserError(
            Sentence(
                option("camera_params"),
                f" has {len(params)} numbers and {settings.camera_model} takes {len(guess.params)} "
                f"({guess.params_info}).",
            ),
            2,
        )
    return params
