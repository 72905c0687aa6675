"""Focal lengths of EXIF held where the photos do not determine them, as in a flight that looks straight down.

COLMAP begins with what EXIF says and adjusts it; where any focal length fits, it ends up anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..colmap.other_cameras import write_with_cameras
from ..refining.undetermined_focals import focal_doubts, undetermined, undetermined_focal
from .attempts import Attempts

MAX_ERROR = 1.5  # times the reprojection error that was there: more, and the focal length does not fit
MIN_SHARE = 0.95  # of the photos that were registered


def settle_undetermined_focals(attempts: Attempts, map_held: Callable[[Path], list[Any]]) -> None:
    """Those of EXIF are held, others doubted. map_held: the models from a database, whose focal lengths stay."""
    if not attempts.models:
        return
    model = attempts.models[0]
    known = {number for number in model.cameras if attempts.cameras[number].has_prior_focal_length}
    attempts.doubts += focal_doubts(model, set(model.cameras) - known)
    loose = undetermined(model, known)
    if not loose or set(loose) != set(
        model.cameras
    ):  # else some photos do tell, and they are adjusted with these
        return
    says = ", ".join(sorted({f"{attempts.cameras[number].mean_focal_length():.0f}" for number in loose}))
    attempts.progress.info(
        f"The photos all look one way and do not determine the focal length: mapping again with that of EXIF ({says} "
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


def _fits(held: Any, before: Any) -> bool:
    if held.num_reg_images() < MIN_SHARE * before.num_reg_images():
        return False
    return bool(
        held.compute_mean_reprojection_error() <= MAX_ERROR * before.compute_mean_reprojection_error()
    )
