"""The 3D view in use, the only one that is ever changed: how it shows an import, and where it looks from."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Quaternion, Vector

from .importing.import_workspace import ImportResult
from .points import robust_box
from .world_matrices import world_matrix

FORWARD = Vector((0.0, 0.0, -1.0))  # of a Blender camera
ONE_SIDED = 0.5  # length of the mean viewing direction above which all photos are taken from one side


def area_in_use() -> tuple[bpy.types.Window, bpy.types.Area] | None:
    """The area of the 3D view that a person works in, with its window; None where no window shows one.

    That of the button or tool that runs, else the largest: a timer runs in no area.
    """
    context = bpy.context
    if context.window is not None and context.area is not None and context.area.type == "VIEW_3D":
        return context.window, context.area
    windows = [context.window] if context.window else []
    windows += [window for window in context.window_manager.windows if window not in windows]
    for window in windows:
        areas = [area for area in window.screen.areas if area.type == "VIEW_3D"]
        if areas:
            return window, max(areas, key=lambda area: area.width * area.height)
    return None


def view_in_use() -> bpy.types.SpaceView3D | None:
    """The 3D view that a person works in; None where no window shows one."""
    found = area_in_use()
    return found[1].spaces.active if found else None


def show_result(result: ImportResult) -> None:
    """Let the view in use show materials, since Solid mode draws points without color. A first import is framed."""
    space = view_in_use()
    if space is None:
        return
    _show_materials(space)
    if not result.updated:
        space.overlay.show_relationship_lines = False  # one to the Empty from every camera
        frame_result(result)


def frame_result(result: ImportResult) -> None:
    """Let the view in use look at an import: from where the photos were taken, if that is one side."""
    box = _world_box(result)
    if box is not None:
        frame_view(*box, _direction_of(list(result.cameras.values())))


def frame_collection(collection: bpy.types.Collection) -> None:
    """Let the view in use look at the cameras and the middle of the points of a result."""
    corners = []
    for thing in collection.all_objects:
        world = np.array(world_matrix(thing))
        points = np.zeros((1, 3))
        if isinstance(thing.data, bpy.types.Mesh):
            points = np.empty((len(thing.data.vertices), 3), np.float32)
            thing.data.vertices.foreach_get("co", points.ravel())
            points = np.array(robust_box(points, 0.7)) if len(points) else points
        elif thing.type != "CAMERA":
            continue
        corners.append(points @ world[:3, :3].T + world[:3, 3])
    if corners:
        frame_view(*box_in_world(np.concatenate(corners), np.eye(4)))


def frame_view(
    middle: np.ndarray, size: float, direction: np.ndarray | None = None
) -> tuple[float, ...] | None:
    """Let the view in use show materials and look at `middle` [3] from a distance that fits `size`.

    direction [3]: to look along, in the world; else as it does now. Returns what `same_view` takes, None where
    no window has a view.
    """
    space = view_in_use()
    if space is None:
        return None
    _show_materials(space)
    view = space.region_3d
    if view is None or size <= 0:
        return None
    view.view_perspective = "PERSP"
    view.view_location = middle.tolist()
    view.view_distance = 1.2 * size
    if direction is not None:
        view.view_rotation = _level_rotation(direction)
    space.clip_start, space.clip_end = size / 1000, max(1000.0, size * 100)
    return _pose(space)


def same_view(framed: tuple[float, ...]) -> bool:
    """Whether the view in use still looks from where `frame_view` has put it."""
    space = view_in_use()
    now = _pose(space) if space is not None else None
    return now is not None and np.allclose(now, framed, rtol=1e-4, atol=1e-6)


def box_in_world(points: np.ndarray, world_from_model: np.ndarray) -> tuple[np.ndarray, float]:
    """Middle [3] and diagonal, in the world, of the box of points [N, 3]."""
    world = points @ world_from_model[:3, :3].T + world_from_model[:3, 3]
    low, high = world.min(axis=0), world.max(axis=0)
    return (low + high) / 2, float(np.linalg.norm(high - low))


def _pose(space: bpy.types.SpaceView3D) -> tuple[float, ...] | None:
    view = space.region_3d
    return None if view is None else (*view.view_location, *view.view_rotation, view.view_distance)


def _show_materials(space: bpy.types.SpaceView3D) -> None:
    if space.shading.type in ("SOLID", "WIREFRAME"):
        space.shading.type = "MATERIAL"


def _world_box(result: ImportResult) -> tuple[np.ndarray, float] | None:
    """Middle [3] and diagonal, in the world, of the cameras and the cloud without its outliers."""
    corners = [tuple(camera.location) for camera in result.cameras.values()]
    count = len(result.cloud.data.vertices)
    if count:
        xyz = np.empty(3 * count, np.float32)
        result.cloud.data.attributes["position"].data.foreach_get("vector", xyz)
        corners += [tuple(corner) for corner in robust_box(xyz.reshape(-1, 3), 0.5)]
    if not corners:
        return None
    return box_in_world(np.array(corners, float), np.array(result.empty.matrix_basis))


def _direction_of(cameras: list[bpy.types.Object]) -> np.ndarray | None:
    """The mean direction [3] that the cameras look in, in the world; None where they stand all round."""
    if not cameras:
        return None
    parent = cameras[0].parent.matrix_basis.to_quaternion() if cameras[0].parent else Quaternion()
    forward = np.array([tuple(parent @ camera.rotation_quaternion @ FORWARD) for camera in cameras])
    mean = forward.mean(axis=0)
    return mean if np.linalg.norm(mean) > ONE_SIDED else None


def _level_rotation(direction: np.ndarray) -> Quaternion:
    """That of a view along a direction [3], with the horizon level."""
    return Vector(direction.tolist()).to_track_quat("-Z", "Y")
