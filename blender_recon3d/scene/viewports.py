"""How the 3D views show an import. Works on the screens in the file, so also for a file saved without a window."""

from __future__ import annotations

import bpy
import numpy as np

from .importing.import_workspace import ImportResult
from .points import robust_box


def show_result(result: ImportResult) -> None:
    """Let every 3D view show materials, since Solid mode draws points without colour. A first import is framed."""
    box = None if result.updated else _world_box(result)
    if box is not None:
        frame_views(*box)
    else:
        for space in _views():
            _show_materials(space)


def frame_views(middle: np.ndarray, size: float) -> tuple[float, ...] | None:
    """Let every 3D view show materials and look at `middle` [3] from a distance that fits `size`.

    Returns what `same_view` takes, None where there is no view.
    """
    framed = None
    for space in _views():
        _show_materials(space)
        _frame(space, middle, size)
        framed = framed or _pose(space)
    return framed


def same_view(framed: tuple[float, ...]) -> bool:
    """Whether the first 3D view still looks from where `frame_views` has put it."""
    now = next((pose for pose in map(_pose, _views()) if pose is not None), None)
    return now is not None and np.allclose(now, framed, rtol=1e-4, atol=1e-6)


def _pose(space: bpy.types.SpaceView3D) -> tuple[float, ...] | None:
    view = space.region_3d
    return None if view is None else (*view.view_location, *view.view_rotation, view.view_distance)


def look_through_camera() -> None:
    """Let every 3D view look through its scene's camera."""
    for space in _views():
        if space.region_3d is not None:
            space.region_3d.view_perspective = "CAMERA"


def _views() -> list[bpy.types.SpaceView3D]:
    return [
        space
        for screen in bpy.data.screens
        for area in screen.areas
        for space in area.spaces
        if space.type == "VIEW_3D"
    ]


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


def box_in_world(points: np.ndarray, world_from_model: np.ndarray) -> tuple[np.ndarray, float]:
    """Middle [3] and diagonal, in the world, of the box of points [N, 3]."""
    world = points @ world_from_model[:3, :3].T + world_from_model[:3, 3]
    low, high = world.min(axis=0), world.max(axis=0)
    return (low + high) / 2, float(np.linalg.norm(high - low))


def _frame(space: bpy.types.SpaceView3D, middle: np.ndarray, size: float) -> None:
    view = space.region_3d
    if view is None or size <= 0:
        return
    view.view_perspective = "PERSP"
    view.view_location = middle.tolist()
    view.view_distance = 1.2 * size
    space.clip_start, space.clip_end = size / 1000, max(1000.0, size * 100)
