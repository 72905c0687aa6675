"""The active 3D view, the only one that is ever changed: its shading and viewpoint for an import."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Quaternion, Vector

from .cameras import SENSOR_WIDTH
from .importing.import_workspace import ImportResult
from .points import robust_box
from .world_matrices import world_matrix

FORWARD = Vector((0.0, 0.0, -1.0))  # of a Blender camera
FITS = 1.2  # distance for a size of 1 in an open view
ONE_SIDED = 0.5  # length of the mean viewing direction above which all photos count as taken from one side


def area_in_use() -> tuple[bpy.types.Window, bpy.types.Area] | None:
    """The area of the active 3D view, with its window; None if no window shows one.

    That of the running button or tool, or else the largest, since timers do not run in an area.
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
    """The active 3D view; None if no window shows one."""
    area = area_in_use()
    return area[1].spaces.active if area else None


def show_result(result: ImportResult) -> None:
    """Show materials in the active view, since Solid mode draws points without color, and frame a first import."""
    space = view_in_use()
    if space is None:
        return
    _show_materials(space)
    if not result.updated:
        space.overlay.show_relationship_lines = False  # otherwise one from every camera to the Empty
        frame_result(result)


def frame_result(result: ImportResult) -> None:
    """Frame an import in the active view, from the photos' side if they were taken from one side."""
    box = _world_box(result)
    if box is not None:
        frame_view(*box, _direction_of(list(result.cameras.values())))


def frame_collection(collection: bpy.types.Collection) -> None:
    """Frame a result's cameras and the middle of its points in the active view."""
    corners = []
    for obj in collection.all_objects:
        world = np.array(world_matrix(obj))
        points = np.zeros((1, 3))
        if isinstance(obj.data, bpy.types.Mesh):
            points = np.empty((len(obj.data.vertices), 3), np.float32)
            obj.data.vertices.foreach_get("co", points.ravel())
            points = np.array(robust_box(points, 0.7)) if len(points) else points
        elif obj.type != "CAMERA":
            continue
        corners.append(points @ world[:3, :3].T + world[:3, 3])
    if corners:
        frame_view(*box_in_world(np.concatenate(corners), np.eye(4)))


def frame_view(
    middle: np.ndarray, size: float, direction: np.ndarray | None = None
) -> tuple[float, ...] | None:
    """Show materials in the active view and look at `middle` [3] from a distance that fits `size`.

    direction [3]: viewing direction in the world; by default unchanged. Returns the argument for `same_view`, or None
    if no window shows a 3D view.
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
    view.view_distance = size * _distance(space)
    if direction is not None:
        view.view_rotation = _level_rotation(direction)
    space.clip_start, space.clip_end = size / 1000, max(1000.0, size * 100)
    return _pose(space)


def _distance(space: bpy.types.SpaceView3D) -> float:
    """Distance from which something fits into the part of the active view that no sidebar covers, for a size of 1."""
    area = area_in_use()
    if area is None:
        return FITS
    regions = {region.type: region for region in area[1].regions}
    window = regions["WINDOW"]
    covered = max(_covered(window, regions[side]) for side in ("UI", "TOOLS") if side in regions)
    return distance_that_fits(window.width, window.height, covered, space.lens)


def _covered(window: bpy.types.Region, side: bpy.types.Region) -> int:
    """Pixels of a view's width that a region over it hides; 0 where the view ends beside it, or it is closed."""
    overlaps = window.x < side.x + side.width and side.x < window.x + window.width
    return side.width if overlaps and side.width > 1 else 0


def distance_that_fits(width: int, height: int, covered: int, lens: float) -> float:
    """Distance for a size of 1 in the middle of a view of so many pixels, of which the same part is left free on both
    sides. lens: the view's focal length in millimeters."""
    if min(width, height) <= 1:  # not drawn yet
        return FITS
    free = max(0.4 * width, width - 2 * covered)
    share = min(free, height) / max(width, height)
    seen = (
        2 * SENSOR_WIDTH / lens
    )  # of the larger side, at a distance of 1: a viewport shows twice a camera's view
    return float(max(FITS, 1 / (share * seen)))


def same_view(framed: tuple[float, ...]) -> bool:
    """Whether the active view is still where `frame_view` has put it."""
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
    """The cameras' mean viewing direction [3] in the world; None if they are all around the subject."""
    if not cameras:
        return None
    parent = cameras[0].parent.matrix_basis.to_quaternion() if cameras[0].parent else Quaternion()
    forward = np.array([tuple(parent @ camera.rotation_quaternion @ FORWARD) for camera in cameras])
    mean = forward.mean(axis=0)
    return mean if np.linalg.norm(mean) > ONE_SIDED else None


def _level_rotation(direction: np.ndarray) -> Quaternion:
    """The rotation of a view along a direction [3], with a level horizon."""
    return Vector(direction.tolist()).to_track_quat("-Z", "Y")
