"""The current cameras of an import, at full precision if they were not edited.

In COLMAP's frame, relative to the Empty. Blender uses single precision, so for a camera that was not edited since its
import the stored pose and intrinsics are used; for one that was moved, or whose lens was changed, the current ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import bpy
import numpy as np

from ...pipeline.alignments.camera_alignment import quaternion_of
from ..blender_lens import Pinhole, lens_of
from ..cameras import KEY, pinhole_from, pose_of
from ..find_imports import offset_of_import
from ..rotations import nearest_rotation, rotation_of

FLIP = np.diag([1.0, -1.0, -1.0])  # between COLMAP's and Blender's camera axes


@dataclass(frozen=True)
class PosedPhoto:
    """photo: its name in the model; qvec (w, x, y, z), tvec: cam_from_model."""

    photo: str
    pinhole: Pinhole
    qvec: tuple[float, float, float, float]
    tvec: tuple[float, float, float]


def posed_photos(collection: bpy.types.Collection) -> list[PosedPhoto]:
    """The cameras of an import as they are now, by name."""
    bpy.context.view_layer.update()
    offset = np.array(offset_of_import(collection))
    cameras = ours_in(collection)
    photos = [PosedPhoto(o[KEY]["photo"], intrinsics_of(o.data), *_pose(o, offset)) for o in cameras]
    on_map = np.array(collection[KEY].get("map_offset", (0.0, 0.0, 0.0)), float)
    if on_map.any():
        photos = [_moved(photo, on_map) for photo in photos]
    return sorted(photos, key=lambda photo: photo.photo)


def _moved(photo: PosedPhoto, offset: np.ndarray) -> PosedPhoto:
    """The pose after adding the offset [3] to the model's coordinates."""
    x, y, z = np.array(photo.tvec) - rotation_of(photo.qvec) @ offset
    return replace(photo, tvec=(float(x), float(y), float(z)))


def ours_in(collection: bpy.types.Collection) -> list[bpy.types.Object]:
    """The cameras created by an import that are still in it."""
    return [o for o in collection.all_objects if o.type == "CAMERA" and _is_ours(o) and o.parent is not None]


def _is_ours(camera: bpy.types.Object) -> bool:
    stored = camera.get(KEY)
    return hasattr(stored, "get") and stored.get("kind") == "camera"


def _pose(
    camera: bpy.types.Object, offset: np.ndarray
) -> tuple[tuple[float, float, float, float], tuple[float, float, float]]:
    """qvec and tvec: the stored ones if the camera was not moved, otherwise from its current pose."""
    w, x, y, z = (float(value) for value in camera[KEY]["qvec"])
    t_x, t_y, t_z = (float(value) for value in camera[KEY]["tvec"])
    qvec, tvec = (w, x, y, z), (t_x, t_y, t_z)
    model_from_camera = camera.parent.matrix_world.inverted_safe() @ camera.matrix_world
    now = np.array(model_from_camera)[:3].astype(np.float64)
    rotation, center = pose_of(qvec, tvec)
    near = np.array(center) - offset
    expected = np.column_stack([rotation_of(rotation), near])
    size = max(1.0, float(np.abs(near).max()))
    if np.abs(now - expected).max() < 1e-5 * size:
        return qvec, tvec
    axes = now[:, :3] / np.linalg.norm(now[:, :3], axis=0)  # a scaled camera looks the same way
    camera_from_model = FLIP @ nearest_rotation(axes).T
    translation = -camera_from_model @ (now[:, 3] + offset)
    return quaternion_of(camera_from_model), tuple(translation.tolist())


def intrinsics_of(data: bpy.types.Camera) -> Pinhole:
    """The stored intrinsics if the lens was not changed, otherwise those of the lens, for the photo's resolution."""
    pinhole = pinhole_from(data)
    lens = lens_of(pinhole, data.sensor_fit, data.sensor_width, data.sensor_height)
    expected = (lens.lens, lens.shift_x, lens.shift_y)
    now = (data.lens, data.shift_x, data.shift_y)
    if np.allclose(now, expected, rtol=1e-6, atol=1e-6):
        return pinhole
    aspect = pinhole.fx / pinhole.fy
    sensor = data.sensor_height if data.sensor_fit == "VERTICAL" else data.sensor_width
    frame = pinhole.fx * sensor / lens.lens  # the side that the sensor is fitted to, in pixels
    fx = now[0] * frame / sensor
    cx, cy = pinhole.width / 2 - now[1] * frame, pinhole.height / 2 + now[2] * frame / aspect
    return Pinhole(pinhole.width, pinhole.height, fx, fx / aspect, cx, cy)
