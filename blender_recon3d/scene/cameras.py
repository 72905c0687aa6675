"""Blender cameras that project exactly as COLMAP's pinhole cameras do.

A Blender camera looks along -z with y up, COLMAP's along +z with y down.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import bpy

from ..pipeline.errors import FileFormatError
from .blender_lens import Pinhole, lens_of
from .importing import colmap_files

KEY = "recon3d"  # the custom property of everything that the add-on creates

SENSOR_WIDTH = 36.0  # mm, for landscape and portrait photos
_MAX_RESOLUTION = 65536  # Blender's limits
_MAX_PIXEL_ASPECT = 200.0
_MIN_LENS_MM = 1.0


def pinhole_of(camera: colmap_files.Camera, path: Path) -> Pinhole:
    """The pinhole part of a COLMAP camera; FileFormatError if Blender cannot represent it. path: for the message."""
    intrinsics = camera.intrinsics()
    if intrinsics is None:
        raise FileFormatError(path, f"camera {camera.camera_id} ({camera.model}) has no focal length")
    pinhole = Pinhole(camera.width, camera.height, *intrinsics)
    fits = 4 <= min(camera.width, camera.height) and max(camera.width, camera.height) <= _MAX_RESOLUTION
    if not (fits and pinhole.fx > 0 and pinhole.fy > 0 and _blender_can_show(pinhole)):
        raise FileFormatError(path, f"camera {camera.camera_id} cannot be represented by a Blender camera")
    return pinhole


def _blender_can_show(pinhole: Pinhole) -> bool:
    lens = lens_of(pinhole)
    aspect = max(lens.pixel_aspect_x, lens.pixel_aspect_y)
    return aspect <= _MAX_PIXEL_ASPECT and _MIN_LENS_MM <= lens.lens < 1e6


def pose_of(
    qvec: tuple[float, float, float, float], tvec: tuple[float, float, float]
) -> tuple[tuple[float, float, float, float], tuple[float, float, float]]:
    """Rotation (w, x, y, z) and location of the Blender camera in the model's frame.

    qvec (w, x, y, z; a unit quaternion), tvec: COLMAP's cam_from_world. The camera's center is -R^T t; the
    rotation is R^T times half a turn about x, which turns COLMAP's camera axes into Blender's.
    """
    w, x, y, z = qvec
    tx, ty, tz = tvec
    # R^T v = v + 2 u x (u x v - w v) with u = (x, y, z), for v = -t.
    vx, vy, vz = -tx, -ty, -tz
    ax, ay, az = y * vz - z * vy - w * vx, z * vx - x * vz - w * vy, x * vy - y * vx - w * vz
    center = (vx + 2 * (y * az - z * ay), vy + 2 * (z * ax - x * az), vz + 2 * (x * ay - y * ax))
    return (x, w, -z, y), center  # conj(q) * (0, 1, 0, 0)


def create_camera(
    name: str,
    image: colmap_files.Image,
    pinhole: Pinhole,
    offset: Iterable[float] = (0.0, 0.0, 0.0),
) -> bpy.types.Object:
    """A camera object at its pose in the model's frame minus the offset, not linked to a collection yet.

    The exact pose and intrinsics are stored in the custom property "recon3d" of the object and of its data, since
    Blender uses single precision and stores the resolution only in the scene.
    """
    data = bpy.data.cameras.new(name)
    data[KEY] = asdict(pinhole)
    set_film_back(data, pinhole)
    camera = bpy.data.objects.new(name, data)
    camera[KEY] = {"kind": "camera", "photo": photo_key(image.name), "qvec": image.qvec, "tvec": image.tvec}
    camera.rotation_mode = "QUATERNION"
    camera.rotation_quaternion, center = pose_of(image.qvec, image.tvec)
    camera.location = [value - off for value, off in zip(center, offset, strict=True)]
    return camera


def photo_key(name: str) -> str:
    """A photo's name as Blender can store it, in UTF-8; other bytes are escaped, so that names stay distinct."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def pinhole_from(data: bpy.types.Camera) -> Pinhole:
    """The intrinsics stored on a camera that the add-on created; KeyError for any other."""
    stored = data[KEY]
    return Pinhole(
        int(stored["width"]), int(stored["height"]), *(float(stored[key]) for key in ("fx", "fy", "cx", "cy"))
    )


def set_film_back(data: bpy.types.Camera, pinhole: Pinhole) -> None:
    """Set sensor, lens and shift from a pinhole.

    FBX and Alembic have a film back but no AUTO sensor fit: with a film back in the photo's aspect ratio, both fields
    of view match the photo's.
    """
    data.sensor_fit, data.sensor_width = "HORIZONTAL", SENSOR_WIDTH
    data.sensor_height = SENSOR_WIDTH * (pinhole.height / pinhole.fy) / (pinhole.width / pinhole.fx)
    _set_lens(data, pinhole)


def fit_lens(data: bpy.types.Camera) -> None:
    """Set lens and shift from the intrinsics stored on the camera, for its current sensor."""
    _set_lens(data, pinhole_from(data))


def _set_lens(data: bpy.types.Camera, pinhole: Pinhole) -> None:
    lens = lens_of(pinhole, data.sensor_fit, data.sensor_width, data.sensor_height)
    data.lens, data.shift_x, data.shift_y = lens.lens, lens.shift_x, lens.shift_y


def look_through(scene: bpy.types.Scene, camera: bpy.types.Object) -> None:
    """Make a photo's camera the scene's, and set the scene's resolution and pixel aspect to the photo's."""
    pinhole = pinhole_from(camera.data)
    fit_lens(camera.data)
    lens = lens_of(pinhole)
    scene.camera = camera
    render = scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = (
        pinhole.width,
        pinhole.height,
        100,
    )
    render.pixel_aspect_x, render.pixel_aspect_y = lens.pixel_aspect_x, lens.pixel_aspect_y


def show_photo_behind(data: bpy.types.Camera, path: Path) -> None:
    """Show an undistorted photo as the camera's background. Blender reads the file when it is first displayed."""
    background = data.background_images.new()
    image = bpy.data.images.load(str(path), check_existing=True)
    background.image = image
    background.display_depth = "BACK"
    background.frame_method = "STRETCH"  # the scene gets the photo's resolution
    background.alpha = 1.0
    data.show_background_images = True


def typical_spacing(centers: list[tuple[float, float, float]]) -> float:
    """Median distance from a camera to the nearest other one; 0 if there are fewer than two positions."""
    nearest = []
    for i, center in enumerate(centers):
        distances = [math.dist(center, other) for j, other in enumerate(centers) if j != i]
        nearest += [min(distances)] if distances else []
    return sorted(nearest)[len(nearest) // 2] if nearest else 0.0
