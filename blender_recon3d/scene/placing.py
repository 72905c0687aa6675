"""Where an object stands, by its own and its parents' transforms: also where Blender does not evaluate it."""

from __future__ import annotations

import bpy
from mathutils import Matrix


def world_matrix(thing: bpy.types.Object) -> Matrix:
    """World from local, without constraints and animation; up to date where `matrix_world` is not yet."""
    matrix = thing.matrix_basis.copy()
    while thing.parent is not None:
        matrix = thing.parent.matrix_basis @ thing.matrix_parent_inverse @ matrix
        thing = thing.parent
    return matrix


def set_world_matrix(thing: bpy.types.Object, world: Matrix) -> None:
    """Let it stand there, whatever its parent."""
    outer = Matrix.Identity(4)
    if thing.parent is not None:
        outer = world_matrix(thing.parent) @ thing.matrix_parent_inverse
    thing.matrix_basis = outer.inverted_safe() @ world
