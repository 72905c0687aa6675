"""Optimizes the principal point of the cameras whose photos determine it.

COLMAP keeps it in the middle of the photo. Lenses and crops put it elsewhere, typically by half a percent of the
photo's width, and the camera poses then compensate for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..colmap.calls import pycolmap
from ..events import Progress
from .adjustment import options
from .observations import read_observations, read_views
from .uncertainty import intrinsics_deviations

MIN_PHOTOS = 3  # that share a camera
UNCERTAIN = 0.001  # of the longest side: largest standard deviation of a determined point
FARTHEST = 0.1  # of the longest side, from the middle: beyond, something else is wrong
SLICE = 10  # iterations between checks for cancellation
SLICES = 10


@dataclass(frozen=True)
class PrincipalPoint:
    """The outcome for a camera. freed; reason: why not; shift: from its previous position, pixels (x, y); deviation:
    standard deviations, pixels, or None."""

    camera_id: int
    photos: int
    freed: bool
    reason: str
    shift: tuple[float, float]
    deviation: tuple[float, float] | None


def free_principal_points(
    model: Any, fixed: set[int], progress: Progress
) -> tuple[Any, list[PrincipalPoint]]:
    """The model, adjusted again with determined principal points free, and the outcome for each camera.

    model: an adjusted pycolmap Reconstruction, which is not changed. fixed: cameras with fixed intrinsics.
    """
    photos: dict[int, int] = {}
    for image_id in model.reg_image_ids():
        photos[model.image(image_id).camera_id] = photos.get(model.image(image_id).camera_id, 0) + 1
    outcomes = {
        camera: _not_freed(
            camera, count, "its intrinsics are given" if camera in fixed else "too few photos share it"
        )
        for camera, count in photos.items()
        if camera in fixed or count < MIN_PHOTOS
    }
    candidates, freed = set(photos) - set(outcomes), model
    # Evaluated after the adjustment, since a wrong position inflates the residuals that the uncertainty is based on.
    while candidates:
        freed = _adjusted(model, candidates, progress)
        evaluated = _evaluated(model, freed, candidates, photos)
        outcomes.update(evaluated)
        determined = {camera for camera in candidates if evaluated[camera].freed}
        if determined == candidates:
            break
        candidates, freed = determined, model
    return freed, [outcomes[camera] for camera in sorted(outcomes)]


def _adjusted(model: Any, free: set[int], progress: Progress) -> Any:
    """A copy of the model, adjusted; cameras that are not free keep their intrinsics."""
    copy = pycolmap.Reconstruction(model)
    config = pycolmap.BundleAdjustmentConfig()
    for image_id in sorted(copy.reg_image_ids()):
        config.add_image(image_id)
        if copy.image(image_id).camera_id not in free:
            config.set_constant_cam_intrinsics(copy.image(image_id).camera_id)
    config.fix_gauge(pycolmap.BundleAdjustmentGauge.TWO_CAMS_FROM_WORLD)
    chosen = options(intrinsics=True, principal_point=True)
    chosen.ceres.solver_options.max_num_iterations = SLICE
    for number in range(SLICES):
        progress.report(number, SLICES, "principal point")
        progress.check()
        adjuster = pycolmap.create_default_bundle_adjuster(chosen, config, copy)
        if adjuster.solve().termination_type != pycolmap.BundleAdjustmentTerminationType.NO_CONVERGENCE:
            break
    copy.update_point_3d_errors()
    return copy


def _evaluated(
    before: Any, after: Any, candidates: set[int], photos: dict[int, int]
) -> dict[int, PrincipalPoint]:
    """For each camera to be freed: whether it can be, according to the model `after`."""
    if not candidates:
        return {}
    views = read_views(after)
    numbers = {camera.camera_id: number for number, camera in enumerate(views.cameras)}
    observations = read_observations(after, views)
    deviations = intrinsics_deviations(
        views, observations, [numbers[camera] for camera in sorted(candidates)]
    )
    outcomes = {}
    for camera_id in sorted(candidates):
        camera = after.camera(camera_id)
        places = list(camera.principal_point_idxs())
        shift = camera.params[places] - before.camera(camera_id).params[places]
        middle = camera.params[places] - np.array([camera.width, camera.height]) / 2
        size = max(camera.width, camera.height)
        deviation = deviations[numbers[camera_id]][places]
        reason = ""
        if not deviation.max() <= UNCERTAIN * size:
            reason = "the photos do not determine it"
        elif np.abs(middle).max() > FARTHEST * size:
            reason = "it would lie far from the middle"
        reported_shift = _pair(shift) if not reason else (0.0, 0.0)
        outcomes[camera_id] = PrincipalPoint(
            camera_id,
            photos[camera_id],
            not reason,
            reason,
            reported_shift,
            _pair(np.minimum(deviation, size)),
        )
    return outcomes


def _not_freed(camera: int, photos: int, reason: str) -> PrincipalPoint:
    return PrincipalPoint(camera, photos, False, reason, (0.0, 0.0), None)


def _pair(values: np.ndarray) -> tuple[float, float]:
    return (round(float(values[0]), 3), round(float(values[1]), 3))
