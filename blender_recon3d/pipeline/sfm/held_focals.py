"""Holds focal lengths from EXIF that the photos do not determine, as in a flight looking straight down.

COLMAP starts from EXIF and adjusts the value; if any focal length fits, the result is arbitrary.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..colmap.other_cameras import write_with_cameras
from ..refining.undetermined_focals import focal_doubts, undetermined, undetermined_focal
from .attempts import Attempts

MAX_ERROR = 1.5  # times the previous reprojection error: if larger, the focal length does not fit
MIN_SHARE = 0.95  # of the previously registered photos


def settle_undetermined_focals(attempts: Attempts, map_held: Callable[[Path], list[Any]]) -> None:
    """Hold those from EXIF, and doubt the others. map_held: the models from a database with fixed focal lengths."""
    if not attempts.models:
        return
    model = attempts.models[0]
    known = {number for number in model.cameras if attempts.cameras[number].has_prior_focal_length}
    attempts.doubts += focal_doubts(model, set(model.cameras) - known)
    loose = undetermined(model, known)
    if not loose or set(loose) != set(
        model.cameras
    ):  # otherwise some photos determine theirs, and all are adjusted together
        return
    exif = ", ".join(sorted({f"{attempts.cameras[number].mean_focal_length():.0f}" for number in loose}))
    attempts.progress.info(
        f"The photos all look one way and do not determine the focal length: mapping again with that of EXIF ({exif} "
        "pixels)."
    )
    path = attempts.scratch / f"{attempts.database.stem}_held.db"
    write_with_cameras(attempts.database, path, attempts.cameras, attempts.camera_of)
    models = map_held(path)
    if models and _fits(models[0], model):
        attempts.models = models
        return
    names = sorted(model.image(number).name for number in model.reg_image_ids())
    attempts.doubts.append(undetermined_focal(min(loose.values()), names))


def _fits(fixed: Any, before: Any) -> bool:
    if fixed.num_reg_images() < MIN_SHARE * before.num_reg_images():
        return False
    return bool(
        fixed.compute_mean_reprojection_error() <= MAX_ERROR * before.compute_mean_reprojection_error()
    )
