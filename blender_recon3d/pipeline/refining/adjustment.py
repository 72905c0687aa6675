"""Bundle adjustment of a whole model by COLMAP, cancellable."""

from __future__ import annotations

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


def adjust(model: Any, intrinsics: bool, progress: Progress, busy: str) -> None:
    """Adjust cameras and points of a pycolmap Reconstruction to the least squared reprojection error. intrinsics: focal
    length and distortion as well; busy: the progress message."""
    progress.report(0, 0, busy)
    run_cancellable(
        lambda token: pycolmap.bundle_adjustment(model, options(intrinsics), cancellation_token=token),
        progress,
    )
