"""Write the cleaned cloud for the engine's mesh stage (--cloud)."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import bpy
import numpy as np

from ...pipeline.errors import UserError
from ...pipeline.files.atomic_files import remove
from ...pipeline.files.ply import write_vertices
from ..cameras import KEY
from ..cloud import CONFIDENCE, NORMAL
from ..find_imports import cloud_of, offset_of_import, workspace_of
from ..point_display import COLOR
from ..stepwise import Steps, run
from .clean_modifier import cleaned_mesh, find_cleaning, positions
from .deleted_points import SHIFT, is_edited

CLEANED_FILE = "cleaned.ply"
_LAYOUT = [(name, "<f4") for name in ("x", "y", "z", "nx", "ny", "nz")]
_LAYOUT += [(name, "u1") for name in ("red", "green", "blue", "views")]
_FAR_LAYOUT = [(name, "<f8" if name in "xyz" else kind) for name, kind in _LAYOUT]


def write_cleaned_cloud(collection: bpy.types.Collection) -> Path | None:
    """Write the file to the workspace, in the format of dense/fusion.ply; None if nothing was removed, or there are no
    normals.

    An identical file is not rewritten, since the engine checks its time. UserError if no points remain.
    """
    return run(cleaned_cloud_in_steps(collection))


def cleaned_cloud_in_steps(collection: bpy.types.Collection) -> Steps[Path | None]:
    """`write_cleaned_cloud`, in steps."""
    cloud = cloud_of(collection)
    if not (find_cleaning(cloud) or is_edited(cloud)) or NORMAL not in cloud.data.attributes:
        return None
    mesh = cleaned_mesh(cloud, "Cleaned")
    try:
        yield None
        table = _table(mesh, _offset(collection, cloud))
    finally:
        bpy.data.meshes.remove(mesh)
    if not len(table):
        raise UserError("Cleaning removes every point: lower its limits, or reset the crop box.")
    return (yield partial(_write, workspace_of(collection) / CLEANED_FILE, table))


def _write(path: Path, table: np.ndarray) -> Path:
    """Write the table to a file unless it is identical; returns the path."""
    new = path.with_name(path.name + ".new")
    try:
        write_vertices(new, table)
        if path.is_file() and path.read_bytes() == new.read_bytes():
            remove(new)
        else:
            os.replace(new, path)
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}): check the results folder.") from error
    return path


def _offset(collection: bpy.types.Collection, cloud: bpy.types.Object) -> np.ndarray:
    """What was subtracted from the file's coordinates, [3]."""
    return np.add(offset_of_import(collection), list(cloud[KEY].get(SHIFT, (0.0, 0.0, 0.0))))


def _table(mesh: bpy.types.Mesh, offset: np.ndarray) -> np.ndarray:
    """The vertices with their attributes; white and one view if those are missing."""
    count = len(mesh.vertices)
    table = np.zeros(count, _FAR_LAYOUT if offset.any() else _LAYOUT)
    for axis, name in enumerate("xyz"):
        table[name] = positions(mesh)[:, axis].astype(table.dtype[name]) + offset[axis]
    normals = np.zeros(3 * count, np.float32)
    colors = np.ones(4 * count, np.float32)
    views = np.ones(count, np.int32)
    if count:
        mesh.attributes[NORMAL].data.foreach_get("vector", normals)
        if COLOR in mesh.color_attributes:
            mesh.color_attributes[COLOR].data.foreach_get("color_srgb", colors)
        if CONFIDENCE in mesh.attributes:
            mesh.attributes[CONFIDENCE].data.foreach_get("value", views)
    for axis, name in enumerate(("nx", "ny", "nz")):
        table[name] = normals.reshape(-1, 3)[:, axis]
    for channel, name in enumerate(("red", "green", "blue")):
        table[name] = np.rint(colors.reshape(-1, 4)[:, channel] * 255)
    table["views"] = np.clip(views, 0, 255)
    return table
