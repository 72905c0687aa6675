"""The cameras of any scene as a transforms.json, which `recon3d import` and Import Alignment take.

A camera belongs to the photo that is its background, else to that of its own name. Of an animated camera every marker
of the timeline is a photo.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np

from ...pipeline.alignments.camera_alignment import AlignedPhoto, Alignment, Lens
from ...pipeline.alignments.camera_writers import WRITERS
from ...pipeline.errors import UserError
from ..blender_lens import Pinhole
from ..cameras import KEY
from ..rotations import nearest_rotation
from .posed_photos import FLIP, intrinsics_of


def write_scene_cameras(scene: bpy.types.Scene, path: Path) -> str:
    """Write the perspective cameras; a sentence. Where a background has no picture, the photo's size is the
    scene's resolution. UserError where there is no camera, or the file cannot be written."""
    photos = sorted(_photos(scene), key=lambda photo: photo.name)
    if not photos:
        raise UserError("The scene has no perspective cameras: add one for each photo, named after it.", 2)
    names = [photo.name.casefold() for photo in photos]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"Several cameras belong to the photo {twice[0]}: remove all but one.", 2)
    try:
        WRITERS["nerfstudio"](path, Alignment("Blender", photos))
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}): choose another folder.") from error
    return f"Wrote {len(photos)} cameras to {path}."


def _photos(scene: bpy.types.Scene) -> Iterator[AlignedPhoto]:
    cameras = [obj for obj in scene.objects if obj.type == "CAMERA" and obj.data.type == "PERSP"]
    moving = [obj for obj in cameras if obj.animation_data and obj.animation_data.action]
    if moving and scene.timeline_markers:
        now = scene.frame_current
        camera = scene.camera if scene.camera in moving else moving[0]
        try:
            for marker in scene.timeline_markers:
                if (
                    marker.camera is None or marker.camera in moving
                ):  # others are bound to cameras that stand still
                    scene.frame_set(marker.frame)
                    yield _photo(scene, marker.camera or camera, marker.name)
        finally:
            scene.frame_set(now)
        cameras = [obj for obj in cameras if obj not in moving]
    for camera in cameras:
        yield _photo(scene, camera, camera.name)


def _photo(scene: bpy.types.Scene, camera: bpy.types.Object, name: str) -> AlignedPhoto:
    data = camera.data
    size = _render_size(scene)
    image = next((b.image for b in data.background_images if b.image is not None), None)
    if image is not None and min(image.size) > 0:
        size = int(image.size[0]), int(image.size[1])
        name = Path(bpy.path.basename(image.filepath)).name or name
    pinhole = intrinsics_of(data) if data.get(KEY) is not None else _pinhole(scene, data, size, image is None)
    world = np.array(camera.matrix_world, np.float64)
    axes = world[:3, :3] / np.linalg.norm(world[:3, :3], axis=0)
    rotation = FLIP @ nearest_rotation(axes).T
    pose = np.column_stack([rotation, -rotation @ world[:3, 3]])
    params = (pinhole.fx, pinhole.fy, pinhole.cx, pinhole.cy)
    return AlignedPhoto(name, Lens("PINHOLE", pinhole.width, pinhole.height, params), pose)


def _pinhole(
    scene: bpy.types.Scene, data: bpy.types.Camera, size: tuple[int, int], rendered: bool
) -> Pinhole:
    """Of a camera that was not made here (blender_lens.py). rendered: with the scene's pixel aspect."""
    width, height = size
    aspect = scene.render.pixel_aspect_y / scene.render.pixel_aspect_x if rendered else 1.0
    across = data.sensor_fit == "HORIZONTAL" or (data.sensor_fit == "AUTO" and width >= aspect * height)
    side = width if across else aspect * height
    focal = data.lens / (data.sensor_height if data.sensor_fit == "VERTICAL" else data.sensor_width) * side
    center = width / 2 - data.shift_x * side, height / 2 + data.shift_y * side / aspect
    return Pinhole(width, height, focal, focal / aspect, *center)


def _render_size(scene: bpy.types.Scene) -> tuple[int, int]:
    render = scene.render
    share = render.resolution_percentage / 100
    return round(render.resolution_x * share), round(render.resolution_y * share)
