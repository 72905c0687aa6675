"""The principal point, freed for the cameras whose photos determine it.

COLMAP keeps it in the middle of the photo. Lenses and crops put it elsewhere, by half a percent of the photo's width
as a rule, and cameras then stand where they compensate for it.
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
UNCERTAIN = 0.001  # of the longest side: the largest standard deviation of a point that is determined
FARTHEST = 0.1  # of the longest side, from the middle: beyond, something else is wrong
SLICE = 10  # iterations between two looks at whether to stop
SLICES = 10


@dataclass(frozen=True)
class PrincipalPoint:
    """What became of a camera's. freed; reason: why not; shift: from where it was, pixels (x, y); deviation: standard
    deviations, pixels, None where it has none."""

    camera_id: int
    photos: int
    freed: bool
    reason: str
    shift: tuple[float, float]
    deviation: tuple[float, float] | None


def free_principal_points(
    model: Any, given: set[int], progress: Progress
) -> tuple[Any, list[PrincipalPoint]]:
    """The model, adjusted once more with the principal points free that are determined, and what became of each.

    model: a pycolmap Reconstruction, adjusted; it is not changed. given: cameras whose intrinsics are to stay.
    """
    photos: dict[int, int] = {}
    for image_id in model.reg_image_ids():
        photos[model.image(image_id).camera_id] = photos.get(model.image(image_id).camera_id, 0) + 1
    said = {
        camera: _kept(
            camera, count, "its intrinsics are given" if camera in given else "too few photos share it"
        )
        for camera, count in photos.items()
        if camera in given or count < MIN_PHOTOS
    }
    wanted, freed = set(photos) - set(said), model
    # Judged where it has come to, since a wrong place inflates the residuals that the uncertainty is told by.
    while wanted:
        freed = _adjusted(model, wanted, progress)
        judged = _judged(model, freed, wanted, photos)
        said.update(judged)
        good = {camera for camera in wanted if judged[camera].freed}
        if good == wanted:
            break
        wanted, freed = good, model
    return freed, [said[camera] for camera in sorted(said)]


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


def _judged(before: Any, after: Any, wanted: set[int], photos: dict[int, int]) -> dict[int, PrincipalPoint]:
    """Of each camera that is to be freed: whether it can be, as the model `after` has it."""
    if not wanted:
        return {}
    views = read_views(after)
    numbers = {camera.camera_id: number for number, camera in enumerate(views.cameras)}
    found = read_observations(after, views)
    deviations = intrinsics_deviations(views, found, [numbers[camera] for camera in sorted(wanted)])
    judged = {}
    for camera_id in sorted(wanted):
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
        told = _pair(shift) if not reason else (0.0, 0.0)
        judged[camera_id] = PrincipalPoint(
            camera_id, photos[camera_id], not reason, reason, told, _pair(np.minimum(deviation, size))
        )
    return judged


def _kept(camera: int, photos: int, reason: str) -> PrincipalPoint:
    return PrincipalPoint(camera, photos, False, reason, (0.0, 0.0), None)


def _pair(values: np.ndarray) -> tuple[float, float]:
    return (round(float(values[0]), 3), round(float(values[1]), 3))
