"""An import's cameras for VFX programs: separate cameras, or one that steps through the photos, one per frame.

In world space, without the scale of their parent Empty; with lens, film back, shift and clipping for FBX, Alembic and
USD, which have a film back but not Blender's AUTO sensor fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ...pipeline.errors import UserError
from ..cameras import KEY, set_film_back
from ..own_names import own_names
from ..rotations import nearest_rotation
from ..scratch_scene import operating_on
from .camera_text_files import FilmCamera
from .posed_photos import intrinsics_of, ours_in

ANIMATED = "Recon3D Camera"
FRAME_RATE = 24
_CLOSEST = 1e-4  # near clipping distance, relative to the far one


def film_cameras(collection: bpy.types.Collection) -> list[FilmCamera]:
    """The cameras as they are now, in the order of the photos' names. UserError if there are none."""
    bpy.context.view_layer.update()
    meters = bpy.context.scene.unit_settings.scale_length or 1.0
    objects = sorted(ours_in(collection), key=lambda camera: camera[KEY]["photo"])
    if not objects:
        raise UserError(f"{collection.name} has no cameras: import the result again.")
    seen = np.array(
        [
            obj.matrix_world @ Vector(corner)
            for obj in collection.all_objects
            if obj.type == "MESH"
            for corner in obj.bound_box
        ]
    ).reshape(-1, 3)
    cameras = []
    for obj in objects:
        world = np.array(obj.matrix_world, np.float64)
        axes = world[:3, :3] / np.linalg.norm(world[:3, :3], axis=0)
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = nearest_rotation(axes), world[:3, 3] * meters
        away = np.linalg.norm(seen - world[:3, 3], axis=1).max() * meters if len(seen) else 0.0
        far = max(1.5 * float(away), 100.0)
        cameras.append(FilmCamera(obj.name, matrix, intrinsics_of(obj.data), _CLOSEST * far, far))
    return cameras


@contextmanager
def scene_of_cameras(
    cameras: Sequence[FilmCamera], animated: bool, *others: bpy.types.Object
) -> Iterator[bpy.types.Scene]:
    """A temporary scene in which operators see these cameras and other objects.

    animated: one camera at each of their poses for a frame, with a marker named after the photo at every frame, and an
    Empty of that name at every position, since few formats have markers.
    """
    with own_names({ANIMATED, *(camera.name for camera in cameras)}), _made(cameras, animated) as objects:
        with operating_on(objects[0], *objects[1:], *others) as scene:
            first = cameras[0].pinhole
            scene.render.resolution_x, scene.render.resolution_y = first.width, first.height
            scene.render.resolution_percentage = 100
            scene.render.fps = FRAME_RATE
            scene.frame_start, scene.frame_end = 1, len(cameras) if animated else 1
            scene.camera = objects[0]
            if animated:
                for frame, camera in enumerate(cameras, 1):
                    scene.timeline_markers.new(camera.name, frame=frame)
            yield scene


@contextmanager
def _made(cameras: Sequence[FilmCamera], animated: bool) -> Iterator[list[bpy.types.Object]]:
    """The objects, which are removed after the block with their data and actions."""
    objects = _animated(cameras) if animated else [_single(camera) for camera in cameras]
    data = [obj.data for obj in objects if obj.data is not None]
    animations = [part.animation_data for part in (*objects, *data) if part.animation_data]
    actions = {
        each.action.name: each.action for each in animations if each.action
    }  # an object and its data may share
    try:
        yield objects
    finally:
        for obj in objects:
            bpy.data.objects.remove(obj)
        for each in data:
            bpy.data.cameras.remove(each)
        for action in actions.values():
            bpy.data.actions.remove(action)


def _single(camera: FilmCamera) -> bpy.types.Object:
    data = bpy.data.cameras.new(camera.name)
    _set_lens(data, camera)
    obj = bpy.data.objects.new(camera.name, data)
    obj.rotation_mode = "QUATERNION"
    obj.matrix_basis = Matrix(camera.matrix.tolist())
    return obj


def _animated(cameras: Sequence[FilmCamera]) -> list[bpy.types.Object]:
    moving = _single(cameras[0])
    moving.name = moving.data.name = ANIMATED
    before = None
    places = []
    for frame, camera in enumerate(cameras, 1):
        moving.matrix_basis = Matrix(camera.matrix.tolist())
        turn = moving.rotation_quaternion.copy()
        if before is not None:
            turn.make_compatible(before)
        moving.rotation_quaternion = before = turn
        _set_lens(moving.data, camera)
        for path in ("location", "rotation_quaternion"):
            moving.keyframe_insert(path, frame=frame)
        for path in ("lens", "sensor_width", "sensor_height", "shift_x", "shift_y"):
            moving.data.keyframe_insert(path, frame=frame)
        place = bpy.data.objects.new(camera.name, None)
        place.matrix_basis = Matrix(camera.matrix.tolist())
        places.append(place)
    return [moving, *places]


def _set_lens(data: bpy.types.Camera, camera: FilmCamera) -> None:
    set_film_back(data, camera.pinhole)
    data.clip_start, data.clip_end = camera.near, camera.far
