"""World matrices from an object's and its parents' transforms, even if Blender does not evaluate the object."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix

from .find_imports import empty_of, objects_of


def world_matrix(obj: bpy.types.Object) -> Matrix:
    """World from local, without constraints and animation; up to date even if `matrix_world` is not."""
    matrix = obj.matrix_basis.copy()
    while obj.parent is not None:
        matrix = obj.parent.matrix_basis @ obj.matrix_parent_inverse @ matrix
        obj = obj.parent
    return matrix


def set_world_matrix(obj: bpy.types.Object, world: Matrix) -> None:
    """Set the world matrix, whatever the parent."""
    outer = Matrix.Identity(4)
    if obj.parent is not None:
        outer = world_matrix(obj.parent) @ obj.matrix_parent_inverse
    obj.matrix_basis = outer.inverted_safe() @ world


def camera_poses(collection: bpy.types.Collection) -> tuple[np.ndarray, np.ndarray]:
    """Centers [N, 3] and rotations [N, 3, 3] (world to camera, COLMAP's axes) of an import's cameras, in the model's
    frame, as they are now."""
    model_from_world = world_matrix(empty_of(collection)).inverted_safe()
    centers, rotations = [], []
    for camera in objects_of(collection, "camera"):
        pose = model_from_world @ world_matrix(camera)
        centers.append(tuple(pose.translation))
        rotation = np.array(pose.to_quaternion().to_matrix())
        rotations.append(np.diag([1.0, -1.0, -1.0]) @ rotation.T)
    return np.array(centers, float).reshape(-1, 3), np.array(rotations, float).reshape(-1, 3, 3)
