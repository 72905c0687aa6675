"""Copies of a model with other cameras, observations and points, in the same position."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..colmap.calls import pycolmap
from .observations import Observations, read_views, write_observations

NEAR = (
    3.0  # times the median distance from the middle: points farther out say little about a model's position
)
MIN_PHOTOS = 10


def with_cameras(model: Any, cameras: Any) -> Any:
    """A copy of a pycolmap Reconstruction with the poses and intrinsics of another one of the same photos."""
    copy = pycolmap.Reconstruction(model)
    for frame_id in copy.reg_frame_ids():
        copy.frame(frame_id).rig_from_world = cameras.frame(frame_id).rig_from_world
    for rig_id, rig in copy.rigs.items():
        for sensor in rig.non_ref_sensors:
            rig.set_sensor_from_rig(sensor, cameras.rig(rig_id).sensor_from_rig(sensor))
    for camera_id in copy.cameras:
        copy.camera(camera_id).params = cameras.camera(camera_id).params
    return copy


def assembled(model: Any, cameras: Any, observations: Observations, keep: np.ndarray) -> Any:
    """`model` with the cameras of another, and its observations to keep [O], with pixels and points of
    `observations`."""
    copy = with_cameras(model, cameras)
    write_observations(copy, read_views(copy), observations, keep)
    copy.update_point_3d_errors()
    return copy


def move_onto(model: Any, other: Any) -> None:
    """Rotate, shift and scale a model so that its cameras and points match those of the same model before.

    Adjustment leaves a model's position free, and a changed principal point rotates all cameras a little.
    """
    ids = [i for i in model.reg_image_ids() if other.image(i).has_pose]
    own = [model.image(i).projection_center() for i in ids]
    old = [other.image(i).projection_center() for i in ids]
    for point_id in sorted(model.point3D_ids()):
        if other.exists_point3D(point_id):
            own.append(model.point3D(point_id).xyz)
            old.append(other.point3D(point_id).xyz)
    first, second = np.array(own), np.array(old)
    distance = np.linalg.norm(second - np.median(second, axis=0), axis=1)
    near = distance <= NEAR * np.median(distance)
    if near.sum() < MIN_PHOTOS:
        return
    moved = pycolmap.estimate_sim3d(first[near], second[near])
    if moved is not None:
        model.transform(moved)
