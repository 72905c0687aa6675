"""Orient and scale a reconstruction: ground, up axis, origin and scale, all in the Empty. COLMAP's frame is unchanged.

Points and lengths are in world space. Each function takes an import's collection and changes the transform of its
Empty; a changed transform is kept when the same result is imported again.
"""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..pipeline.errors import UserError
from ..pipeline.placing.ground import ground_plane
from ..pipeline.placing.up import find_up
from ..pipeline.text import Said
from .cameras import KEY
from .cleaning.clean_modifier import cleaned_positions, positions
from .find_imports import CLEANED, CLOUD, SURFACES, check_editable, cloud_of, empty_of, objects_of
from .modes import object_mode
from .points import robust_box
from .world_matrices import camera_poses, set_world_matrix, world_matrix

Point = Sequence[float]

AXES = {
    "X": (1, 0, 0), "-X": (-1, 0, 0), "Y": (0, 1, 0), "-Y": (0, -1, 0), "Z": (0, 0, 1), "-Z": (0, 0, -1),
}  # fmt: skip
UP = Vector((0, 0, 1))
SCALED = "scaled"  # stored on an import's collection once its scale was set


# -- ground and up ----------------------------------------------------------------------------------


def ground_from_plane(collection: bpy.types.Collection) -> str:
    """Level the dominant plane and put it at z = 0. It is searched near the current up, then near the cameras' up.

    UserError if the cloud has no such plane.
    """
    empty, cloud = _empty(collection), cloud_of(collection)
    with object_mode():
        xyz = positions(cloud.data).astype(np.float64)
    world = world_matrix(empty)
    centers, rotations = camera_poses(collection)
    rotation = np.array(world.to_quaternion().to_matrix())
    current_up = rotation.T @ np.array(UP)
    if len(centers) == 0:
        centers = _far_above(xyz, current_up)
    plane = ground_plane(xyz, centers, current_up)
    if plane is None and len(rotations):
        up = find_up(rotations, centers, xyz)
        plane = ground_plane(xyz, centers, up.direction, up.cone)
    if plane is None:
        raise UserError(
            "The cloud has no plane that could be the ground: select three points and use Align to 3 Points."
        )
    normal, offset = plane
    _level(empty, world @ Vector((normal * offset).tolist()), Vector((rotation @ normal).tolist()))
    return Said("Aligned to the dominant plane.")


def ground_from_points(collection: bpy.types.Collection, points: Sequence[Point]) -> str:
    """Level the plane through three world-space points and put it at z = 0; the cameras stay above it."""
    empty = _empty(collection)
    if len(points) != 3:
        raise UserError(f"Three points are needed for the ground, not {len(points)}.", 2)
    a, b, c = (Vector(point) for point in points)
    normal = (b - a).cross(c - a)
    if normal.length < 1e-6 * max((b - a).length, (c - a).length) ** 2 or normal.length == 0:
        raise UserError("The three points are on one line: choose others.", 2)
    normal.normalize()
    if _is_below(collection, a, normal):
        normal.negate()
    _level(empty, (a + b + c) / 3, normal)
    return Said("Aligned to the three points.")


def up_axis(collection: bpy.types.Collection, axis: str) -> str:
    """Rotate about the subject so that this world axis ("X", "-X" ... "-Z") points up."""
    empty = _empty(collection)
    if axis not in AXES:
        raise UserError(f"{axis} is not an axis: choose one of {', '.join(AXES)}.", 2)
    low, high = subject_box(collection)
    middle = Vector(((low + high) / 2).tolist())
    _turn(empty, middle, _rotation_up(Vector(AXES[axis])))
    return Said("{axis} is now the up axis.", axis=axis)


def _level(empty: bpy.types.Object, point: Vector, normal: Vector) -> None:
    """Rotate about a ground point so that the ground's normal points up, and move the point to z = 0."""
    turn = Matrix.Translation(point) @ _rotation_up(normal) @ Matrix.Translation(-point)
    set_world_matrix(empty, Matrix.Translation((0, 0, -point.z)) @ turn @ world_matrix(empty))


def _turn(empty: bpy.types.Object, middle: Vector, rotation: Matrix) -> None:
    turn = Matrix.Translation(middle) @ rotation @ Matrix.Translation(-middle)
    set_world_matrix(empty, turn @ world_matrix(empty))


def _rotation_up(direction: Vector) -> Matrix:
    """The smallest rotation that makes a unit direction point up."""
    if direction.dot(UP) < -1 + 1e-12:  # any horizontal axis works
        return Matrix.Rotation(np.pi, 4, "X")
    return direction.rotation_difference(UP).to_matrix().to_4x4()


def _is_below(collection: bpy.types.Collection, point: Vector, normal: Vector) -> bool:
    """Whether most cameras are below the plane; without cameras, whether its normal points down."""
    cameras = objects_of(collection, "camera")
    sides = [(world_matrix(camera).translation - point).dot(normal) for camera in cameras]
    return normal.z < 0 if not sides else sum(side < 0 for side in sides) > len(sides) / 2


# -- origin and scale -------------------------------------------------------------------------------


def origin_under(collection: bpy.types.Collection, target: Point = (0.0, 0.0, 0.0)) -> str:
    """Move the bottom center of the subject to a world-space point."""
    empty = _empty(collection)
    low, high = subject_box(collection)
    bottom = Vector(((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]))
    set_world_matrix(empty, Matrix.Translation(Vector(target) - bottom) @ world_matrix(empty))
    place = ", ".join(f"{value:.3g}" for value in target)
    return Said("The subject's bottom center is now at {place}.", place=place)


def scale_to(collection: bpy.types.Collection, points: Sequence[Point], length: float) -> str:
    """Scale about the world's origin, which keeps the ground in place, so that two points are `length` apart."""
    empty = _empty(collection)
    if len(points) != 2:
        raise UserError(f"Two points are needed to measure the scale, not {len(points)}.", 2)
    measured = (Vector(points[1]) - Vector(points[0])).length
    if not (np.isfinite(length) and length > 0 and measured > 0):
        raise UserError("The two points coincide, or the length is not greater than zero: choose others.", 2)
    factor = length / measured
    set_world_matrix(empty, Matrix.Scale(factor, 4) @ world_matrix(empty))
    for camera in {o.data for o in objects_of(collection, "camera")}:
        # Display size and clipping are in world units: Blender ignores a parent's scale here.
        camera.display_size *= factor
        camera.clip_start, camera.clip_end = camera.clip_start * factor, camera.clip_end * factor
    collection[KEY][SCALED] = True
    values = {"factor": f"{factor:.4g}", "measured": f"{measured:.4g}", "length": f"{length:.4g}"}
    return Said("Scaled by {factor}: {measured} is now {length}.", **values)


def subject_box(collection: bpy.types.Collection) -> tuple[np.ndarray, np.ndarray]:
    """World-space bounding box [3], [3] of the mesh, or else of the cleaned cloud or the cloud without outliers.

    UserError if there is neither.
    """
    meshes = [o for o in objects_of(collection, *reversed(SURFACES)) if len(o.data.vertices)]
    obj = meshes[0] if meshes else _cloud_to_measure(collection)
    with object_mode():
        xyz = positions(obj.data) if meshes else cleaned_positions(obj)
    matrix = np.array(world_matrix(obj))
    world = xyz @ matrix[:3, :3].T.astype(np.float32) + matrix[:3, 3].astype(np.float32)
    return (world.min(axis=0), world.max(axis=0)) if meshes else robust_box(world)


def _cloud_to_measure(collection: bpy.types.Collection) -> bpy.types.Object:
    cleaned = [o for o in objects_of(collection, CLEANED) if len(o.data.vertices)]
    return cleaned[-1] if cleaned else cloud_of(collection)


# -- what the user has selected ---------------------------------------------------------------------


def selected_points(collection: bpy.types.Collection, count: int) -> list[tuple[float, float, float]]:
    """World positions of the selected vertices of the active object, or else of the import's mesh or cloud.

    In Object Mode, the last selection made in Edit Mode. UserError unless there are `count` of them.
    """
    active = bpy.context.view_layer.objects.active
    things = objects_of(collection, CLOUD, CLEANED, *SURFACES)
    if active in things:
        things = [active]
    selections = [(obj, _selected(obj)) for obj in things]
    match = next(((obj, indices) for obj, indices in selections if len(indices) == count), None)
    if match is None:
        selected = next((len(indices) for _, indices in selections if len(indices)), 0)
        raise UserError(
            f"{selected or 'No'} vertices are selected, but {count} are needed: select them on the cloud or "
            "the mesh in Edit Mode.",
            2,
        )
    obj, indices = match
    matrix = world_matrix(obj)
    return [tuple(matrix @ obj.data.vertices[int(index)].co) for index in indices]


def _selected(obj: bpy.types.Object) -> np.ndarray:
    """Indices of the selected vertices."""
    if obj.mode == "EDIT":
        obj.update_from_editmode()
    selected = np.zeros(len(obj.data.vertices), bool)
    obj.data.vertices.foreach_get("select", selected)
    return np.flatnonzero(selected)


# -- parts ------------------------------------------------------------------------------------------


def _empty(collection: bpy.types.Collection) -> bpy.types.Object:
    empty = empty_of(collection)
    check_editable(empty)
    return empty


def _far_above(xyz: np.ndarray, up: np.ndarray) -> np.ndarray:
    """A substitute for missing cameras: a point far above the cloud."""
    low, high = robust_box(xyz)
    return ((low + high) / 2 + up * 10 * np.linalg.norm(high - low))[None]
