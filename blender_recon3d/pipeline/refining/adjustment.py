"""Bundle adjustment of a whole model by COLMAP, cancellable."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..colmap.calls import pycolmap, run_cancellable
from ..events import Progress


def options(intrinsics: bool, principal_point: bool = False) -> Any:
    """COLMAP's options, with one thread: with several, the order of summation varies."""
    chosen = pycolmap.BundleAdjustmentOptions()
    chosen.print_summary = False
    chosen.refine_focal_length = chosen.refine_extra_params = intrinsics
    chosen.refine_principal_point = principal_point
    chosen.refine_sensor_from_rig = intrinsics  # fixed for the views of a panorama, as their intrinsics
    chosen.ceres.solver_options.num_threads = 1
    chosen.ceres.solver_options.function_tolerance = 1e-7
    return chosen


def adjust(model: Any, intrinsics: bool, progress: Progress, busy: str, stay: Collection[str] = ()) -> None:
    """Adjust cameras and points of a pycolmap Reconstruction to the least squared reprojection error. intrinsics: focal
    length and distortion as well; busy: the progress message; stay: photos whose poses are fixed."""
    progress.report(0, 0, busy)
    if stay:
        _adjust_others(model, stay)
        progress.check()
        return
    run_cancellable(
        lambda token: pycolmap.bundle_adjustment(model, options(intrinsics), cancellation_token=token),
        progress,
    )


def _adjust_others(model: Any, stay: Collection[str]) -> None:
    """Adjust the points and the poses of the photos that do not stay; intrinsics are fixed."""
    config = pycolmap.BundleAdjustmentConfig()
    for number in sorted(model.reg_image_ids()):
        image = model.image(number)
        if not image.num_points3D:
            continue
        config.add_image(number)
        config.set_constant_cam_intrinsics(image.camera_id)
        if image.name in stay:
            config.set_constant_rig_from_world_pose(image.frame_id)
    pycolmap.create_default_bundle_adjuster(options(False), config, model).solve()
