"""Move the faces of the crop box, and count the points inside it."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ...pipeline.errors import UserError
from ...pipeline.text import Said
from ..find_imports import BOX, check_editable, cloud_of, find_object, kind_of
from ..world_matrices import set_world_matrix, world_matrix
from .clean_modifier import positions

FACES = ("-X", "+X", "-Y", "+Y", "-Z", "+Z")  # by the box's own axes
THINNEST = 1e-3  # of the box's current size, so that a face never passes the opposite one
MAX_COUNTED = 300_000  # points of a cloud to count while a face moves


def box_of(collection: bpy.types.Collection) -> bpy.types.Object:
    """The crop box; UserError if there is none."""
    box = find_object(collection, BOX)
    if box is None:
        raise UserError("There is no crop box: add one first.")
    check_editable(box)
    return box


def face_normal(world: Matrix, face: str) -> tuple[Vector, Vector]:
    """Middle of a face, and the unit direction out of the box, in the world. world: the box's matrix."""
    axis, sign = "XYZ".index(face[1]), 1.0 if face[0] == "+" else -1.0
    out = Vector([sign if n == axis else 0.0 for n in range(3)])
    return world @ out, (world.to_3x3() @ out).normalized()


def moved_face(world: Matrix, face: str, distance: float) -> Matrix:
    """The box's matrix after moving one face outward by a world-space distance (negative: inward)."""
    axis = "XYZ".index(face[1])
    _, out = face_normal(world, face)
    half = world.to_3x3().col[axis].length
    distance = max(distance, -2 * half * (1 - THINNEST))
    columns = world.to_3x3()
    columns.col[axis] = columns.col[axis] * ((2 * half + distance) / (2 * half))
    moved = columns.to_4x4()
    moved.translation = world.translation + out * distance / 2
    return moved


def move_face(collection: bpy.types.Collection, face: str, distance: float) -> str:
    """Move a face of the crop box; returns a message with the points inside. UserError if there is no box."""
    box = box_of(collection)
    if face not in FACES:
        raise UserError(f"{face} is not a face of the box: choose one of {', '.join(FACES)}.", 2)
    set_world_matrix(box, moved_face(world_matrix(box), face, distance))
    cloud_of(collection).update_tag()
    return kept_sentence(count_inside(points_to_count(collection), world_matrix(box)))


class Counted:
    """A sample of a cloud's points [n, 3] in the world. every: number of points that each represents."""

    def __init__(self, xyz: np.ndarray, every: int, total: int) -> None:
        self.xyz, self.every, self.total = xyz, every, total


def points_to_count(collection: bpy.types.Collection) -> Counted:
    """A sample of the cloud's points that can be counted while the mouse moves."""
    cloud = cloud_of(collection)
    xyz = positions(cloud.data)
    every = 1 + len(xyz) // MAX_COUNTED
    matrix = np.array(world_matrix(cloud))
    return Counted(xyz[::every].astype(float) @ matrix[:3, :3].T + matrix[:3, 3], every, len(xyz))


def count_inside(counted: Counted, world: Matrix) -> tuple[int, int]:
    """The approximate number of points in the box, and the total number."""
    inverse = np.array(world.inverted_safe())
    local = counted.xyz @ inverse[:3, :3].T + inverse[:3, 3]
    inside = int((np.abs(local) <= 1).all(axis=1).sum())
    return min(counted.total, inside * counted.every), counted.total


def kept_sentence(counts: tuple[int, int]) -> str:
    return Said("{inside} of {total} points kept.", inside=f"{counts[0]:,}", total=f"{counts[1]:,}")


def is_box(obj: bpy.types.Object | None) -> bool:
    """Whether an object is an import's crop box."""
    return obj is not None and kind_of(obj) == BOX
