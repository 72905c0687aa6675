"""The crop box: an Empty shown as a cube, from -1 to 1 in its own coordinates, that the user places on the cloud."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ...pipeline.errors import UserError
from ...pipeline.files.atomic_files import write_json
from ...pipeline.meshing.region import subject_ball
from ..cameras import KEY
from ..find_imports import (
    BOX,
    SURFACES,
    add_beside,
    check_addable,
    check_editable,
    cloud_of,
    empty_of,
    find_object,
    hide,
    objects_of,
    offset_of_import,
    workspace_of,
)
from ..modes import object_mode
from ..point_display import set_input
from ..points import robust_box
from ..stepwise import Steps, run
from ..world_matrices import camera_poses, world_matrix
from .clean_modifier import INPUTS, ISLAND, add_cleaning_in_steps, positions

CROP_FILE = "crop.json"  # in the workspace; the engine's mesh stage reads it with --crop
SHARE = 0.999  # of the subject's points, along each axis; high, since a head may be few points
MARGIN = 1.1


def add_crop_box(
    collection: bpy.types.Collection, low: Sequence[float] | None = None, high: Sequence[float] | None = None
) -> bpy.types.Object:
    """Add the box as an object and as the cleaning's input, or reset an existing one.

    low, high: corners [3] in the model's frame; by default around the subject, upright in the world.
    """
    return run(crop_box_in_steps(collection, low, high))


def crop_box_in_steps(
    collection: bpy.types.Collection, low: Sequence[float] | None = None, high: Sequence[float] | None = None
) -> Steps[bpy.types.Object]:
    """`add_crop_box`, in steps."""
    cloud = cloud_of(collection)
    check_editable(cloud, cloud.data)
    check_addable(cloud)
    box = find_object(collection, BOX)
    modifier = yield from add_cleaning_in_steps(collection)
    if box is None:
        box = bpy.data.objects.new("Recon3D Crop Box", None)
        box.empty_display_type, box.empty_display_size = "CUBE", 1.0
        box[KEY] = {"kind": BOX}
        add_beside(box, cloud, collection)
    if low is not None and high is not None:
        frame, lowest, highest = Matrix.Identity(4), np.asarray(low, float), np.asarray(high, float)
        if not (lowest < highest).all():
            raise UserError("The crop box has no volume: its high corner must be above its low one.", 2)
    else:
        frame, lowest, highest = _around_subject(collection)
    middle, half = (lowest + highest) / 2, (highest - lowest) / 2
    box.matrix_parent_inverse = Matrix.Identity(4)
    box.matrix_basis = frame @ Matrix.LocRotScale(Vector(middle.tolist()), None, Vector(half.tolist()))
    set_input(modifier, INPUTS["crop_box"].identifier, box)
    cloud.update_tag()
    hide(cloud, hidden=False)
    hide(*objects_of(collection, *SURFACES))  # the box applies to the cloud
    return box


def _around_subject(collection: bpy.types.Collection) -> tuple[Matrix, np.ndarray, np.ndarray]:
    """The subject's box, aligned to the world axes: its frame in the model's (a rotation), and its corners in that."""
    xyz = _subject(collection)
    model_from_upright = world_matrix(empty_of(collection)).to_quaternion().to_matrix().transposed()
    low, high = robust_box(xyz @ np.array(model_from_upright, np.float32), SHARE)
    middle, half = (low + high) / 2, np.maximum((high - low) / 2, 1e-9) * MARGIN
    return model_from_upright.to_4x4(), middle - half, middle + half


def _subject(collection: bpy.types.Collection) -> np.ndarray:
    """Points [n, 3] of the largest island, limited to what the cameras orbit, if they do."""
    cloud = cloud_of(collection)
    with object_mode():
        xyz = positions(cloud.data)
        keep = np.ones(len(xyz), bool)
        if ISLAND in cloud.data.attributes:
            island = np.empty(len(xyz), np.int32)
            cloud.data.attributes[ISLAND].data.foreach_get("value", island)
            keep = island == island.max()
    centers, rotations = camera_poses(collection)
    ball = subject_ball(centers, rotations[:, 2])
    if ball is not None:
        inside = np.linalg.norm(xyz - ball[0].astype(np.float32), axis=1) <= ball[1]
        keep = keep & inside if (keep & inside).any() else keep
    return xyz[keep]


def crop_matrix(collection: bpy.types.Collection) -> Matrix:
    """The matrix from the cube -1 to 1 to the box, in the model's frame; UserError if there is no box."""
    box = find_object(collection, BOX)
    if box is None:
        raise UserError("There is no crop box: add one first.")
    matrix = world_matrix(empty_of(collection)).inverted_safe() @ world_matrix(box)
    if abs(matrix.determinant()) < 1e-12 * max(abs(v) for row in matrix.to_3x3() for v in row) ** 3:
        raise UserError(f"{box.name} is flat: scale it so that it has a volume.")
    return matrix


def write_crop(collection: bpy.types.Collection) -> Path:
    """Write the box to the workspace for the engine's mesh stage (--crop); returns the file."""
    path = workspace_of(collection) / CROP_FILE
    rows = [[float(value) for value in row] for row in crop_matrix(collection)]
    for row, off in zip(rows, offset_of_import(collection), strict=False):
        row[3] += off
    try:
        write_json(path, {"version": 1, "matrix": rows[:3]})
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}): check the results folder.") from error
    return path
