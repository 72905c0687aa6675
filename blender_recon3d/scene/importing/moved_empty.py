"""Keep the user's rotation, translation and scale of an import when its cameras have been found again.

The new model then has another frame and size. It is placed like the old one, using their common cameras.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import bpy
import numpy as np

from ...pipeline.placing.kept_placement import old_from_new
from ..cameras import KEY
from ..find_imports import find_object, objects_of, offset_of_import
from ..rotations import rotation_of

SAME = 1e-5  # single precision; a matrix that differs by less was not changed


def moved_by_user(collection: bpy.types.Collection | None) -> np.ndarray | None:
    """The Empty's matrix [4, 4] if the user has changed it since the import; otherwise None."""
    empty = find_object(collection, "empty") if collection else None
    stored = empty.get(KEY) if empty else None
    imported = np.array(stored.get("world_from_model", ()) if hasattr(stored, "get") else (), float)
    if empty is None or imported.size != 16:
        return None
    now, imported = np.array(empty.matrix_basis, float), imported.reshape(4, 4)
    return None if np.allclose(now, imported, rtol=SAME, atol=SAME * np.abs(imported).max()) else now


def cameras_of(collection: bpy.types.Collection) -> dict[str, np.ndarray]:
    """Rotation and center [3, 4] of the import's cameras in their model's frame, by photo."""
    poses = {}
    for camera in objects_of(collection, "camera"):
        stored = camera[KEY]
        if hasattr(stored, "get") and stored.get("qvec") is not None:
            poses[str(stored.get("photo"))] = pose(stored["qvec"], stored["tvec"])
    return poses


def pose(qvec: Iterable[float], tvec: Iterable[float]) -> np.ndarray:
    """Rotation and center [3, 4] of a camera, from COLMAP's cam_from_world."""
    w, x, y, z = qvec
    turn = rotation_of((w, x, y, z)).T
    return np.column_stack([turn, -turn @ np.array(list(tvec), float)])


def carried_over(
    moved: np.ndarray,
    collection: bpy.types.Collection,
    new: dict[str, np.ndarray],
    offset: Sequence[float] | np.ndarray,
) -> np.ndarray | None:
    """The matrix [4, 4] that places the new model like the user's old one, which is still in the collection.

    None if the cameras are unchanged, so that a new placement is intentional, or if they are too different.
    new: poses by photo. offset: subtracted from the new model's coordinates.
    """
    old = cameras_of(collection)
    both = set(old) & set(new)
    if all(np.allclose(old[name], new[name], rtol=0, atol=1e-9) for name in both):
        return None
    between = old_from_new(old, new)
    if between is None:
        return None
    return np.asarray(moved @ _shift(offset_of_import(collection), -1) @ between @ _shift(offset, 1))


def _shift(offset: Sequence[float] | np.ndarray, sign: int) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, 3] = sign * np.array(offset, float)
    return matrix
