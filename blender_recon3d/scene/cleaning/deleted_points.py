"""Points that a user has deleted from a cloud stay deleted when it is imported again, until they are restored.

Deletions with the lasso and in Edit Mode are alike: what counts is which points are left. They are recognized by their
exact positions, so nothing has to be stored with each point.
"""

from __future__ import annotations

from functools import partial

import bpy
import numpy as np

from ...pipeline.errors import UserError
from ...pipeline.text import Said
from ..cameras import KEY
from ..cloud import fill_in_steps
from ..find_imports import check_editable, cloud_of, kind_of, workspace_of
from ..importing.find_source import find_source
from ..importing.read_result import read_result
from ..modes import object_mode
from ..points import Points
from ..stepwise import Steps, run
from ..unfinished import unfinished
from . import clean_modifier
from .clean_modifier import positions

EDITED = "edited"  # stored on a cloud with deleted points: the engine then meshes the remaining ones
POINTS = "points"  # stored on a cloud: how many were imported
SHIFT = (
    "shift"  # stored on a cloud that lies far from the cameras: its distance, which its positions leave out
)
SAME = 0.9  # share of the remaining points that are in the new cloud, if it is the same one
BACK = Said("The cloud has changed, so the points that you had deleted are back: delete them again.")


def is_edited(cloud: bpy.types.Object) -> bool:
    """Whether points were deleted from a cloud by hand."""
    if not kind_of(cloud):
        return False
    stored = cloud[KEY]
    count = len(cloud.data.vertices)
    return bool(stored.get(EDITED, False)) or count < int(stored.get(POINTS, count))


def remaining_points(cloud: bpy.types.Object) -> np.ndarray | None:
    """The positions [n, 3] left in a cloud from which points were deleted; None if none were."""
    with object_mode():
        if not is_edited(cloud) or not len(cloud.data.vertices):
            return None
        return positions(cloud.data)


def without_deleted(points: Points, remaining: np.ndarray | None) -> tuple[Points, tuple[str, ...]]:
    """The points less those that were deleted from the earlier cloud, and notes."""
    if remaining is None:
        return points, ()
    keys = _keys(remaining)
    keep = np.isin(_keys(points.xyz), keys)
    if keep.sum() < SAME * len(keys):
        return points, (BACK,)
    return points.select(keep), ()


def _keys(xyz: np.ndarray) -> np.ndarray:
    """A number for each position: float32 [n, 3] to uint64 [n]. Of millions, two hardly ever have the same."""
    bits = np.ascontiguousarray(xyz, np.float32).view(np.uint32).astype(np.uint64)
    factors = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
    mixed = (bits + np.uint64(1)) * factors
    mixed ^= mixed >> np.uint64(29)
    return (mixed * factors[::-1]).sum(axis=1, dtype=np.uint64)


def restore_points(collection: bpy.types.Collection) -> str:
    """Bring back all points that were deleted from an import's cloud. UserError if none were."""
    return run(restore_in_steps(collection))


def restore_in_steps(collection: bpy.types.Collection) -> Steps[str]:
    """`restore_points`, in steps."""
    cloud = cloud_of(collection)
    check_editable(cloud, cloud.data)
    with object_mode():
        edited, count = is_edited(cloud), len(cloud.data.vertices)
    if not edited:
        raise UserError("No points were deleted from the cloud.")
    read = yield partial(read_result, find_source(workspace_of(collection)))
    mesh = bpy.data.meshes.new(cloud.data.name)
    with unfinished(mesh):
        yield from fill_in_steps(mesh, read.points)
        if clean_modifier.is_analyzed(cloud.data):
            yield from clean_modifier.analyze_in_steps(mesh)
        for material in cloud.data.materials:
            mesh.materials.append(material)
    old, name = cloud.data, cloud.data.name
    with object_mode():
        old.user_remap(mesh)
        bpy.data.meshes.remove(old)
        mesh.name = name
        stored = {key: value for key, value in dict(cloud[KEY]).items() if key != EDITED}
        cloud[KEY] = {**stored, POINTS: len(read.points)}
    return Said("{points} points are back.", points=f"{max(0, len(read.points) - count):,}")
