"""Delete points of clouds and vertices of meshes, in Object Mode and quickly: a cloud may have millions."""

from __future__ import annotations

from typing import Any

import bmesh
import bpy
import numpy as np

from ...pipeline.errors import UserError
from ...pipeline.text import Said
from ..cameras import KEY
from ..find_imports import check_editable, kind_of
from ..modes import object_mode
from ..picking import View, inside_lasso, shown_objects, world_positions

EDITED = "edited"  # stored on a cloud with deleted points: the engine then meshes the remaining ones
# The property, type and size of an attribute's values.
_VALUES = {
    "FLOAT": ("value", np.float32, 1), "INT": ("value", np.int32, 1), "INT8": ("value", np.int32, 1),
    "BOOLEAN": ("value", bool, 1), "FLOAT2": ("vector", np.float32, 2), "FLOAT_VECTOR": ("vector", np.float32, 3),
    "FLOAT_COLOR": ("color", np.float32, 4), "BYTE_COLOR": ("color_srgb", np.float32, 4),
}  # fmt: skip


def delete_in_lasso(collection: bpy.types.Collection, view: View, lasso: list[tuple[float, float]]) -> str:
    """Delete everything inside a lasso, at any depth, from the import's visible clouds and meshes.

    UserError if the lasso contains nothing or everything, or if nothing is visible.
    """
    things = shown_objects(collection)
    if not things:
        raise UserError("No cloud or mesh is visible: show one first.")
    check_editable(*things, *(obj.data for obj in things))
    with object_mode():
        hits = [(obj, inside_lasso(view, lasso, world_positions(obj))) for obj in things]
        hits = [(obj, inside) for obj, inside in hits if inside.any()]
        if not hits:
            raise UserError("There are no points inside the lasso: draw it around those to delete.")
        for obj, inside in hits:
            if inside.all():
                raise UserError(
                    f"The lasso contains all of {obj.name}: draw it around a part, or hide the object."
                )
        for obj, inside in hits:
            delete_vertices(obj, inside)
    counts = ", ".join(f"{int(inside.sum()):,} of {obj.name}" for obj, inside in hits)
    return Said("Deleted {counts}.", counts=counts)


def delete_vertices(obj: bpy.types.Object, selected: np.ndarray) -> None:
    """Delete the vertices where `selected` [n] is true, with their faces. In Object Mode."""
    if len(obj.data.polygons):
        _delete_from_mesh(obj.data, selected)
    else:
        _keep_in_cloud(obj.data, ~selected)
        obj[KEY] = {**dict(obj[KEY]), EDITED: True}
    obj.data.update()


def is_edited(cloud: bpy.types.Object) -> bool:
    """Whether points were deleted from a cloud manually."""
    stored = cloud.get(KEY)
    return bool(kind_of(cloud)) and bool(stored.get(EDITED, False))


def _delete_from_mesh(mesh: bpy.types.Mesh, selected: np.ndarray) -> None:
    edited = bmesh.new()
    try:
        edited.from_mesh(mesh)
        edited.verts.ensure_lookup_table()
        bmesh.ops.delete(
            edited, geom=[edited.verts[n] for n in np.flatnonzero(selected).tolist()], context="VERTS"
        )
        edited.to_mesh(mesh)
    finally:
        edited.free()


def _keep_in_cloud(mesh: bpy.types.Mesh, keep: np.ndarray) -> None:
    """Rebuild a mesh without edges and faces from the vertices to keep, with their attributes."""
    attributes: list[tuple[str, str, str, Any]] = []
    color = mesh.color_attributes.active_color_name
    for attribute in mesh.attributes:
        if (
            attribute.domain != "POINT"
            or attribute.data_type not in _VALUES
            or attribute.name.startswith(".select")
        ):
            continue
        key, dtype, size = _VALUES[attribute.data_type]
        values = np.empty(len(keep) * size, dtype)
        attribute.data.foreach_get(key, values)
        remaining = values.reshape(-1, size)[keep].ravel()
        attributes.append((attribute.name, attribute.data_type, key, np.ascontiguousarray(remaining)))
    mesh.clear_geometry()
    mesh.vertices.add(int(keep.sum()))
    for name, kind, key, values in attributes:
        attribute = mesh.attributes.get(name) or mesh.attributes.new(name, kind, "POINT")
        attribute.data.foreach_set(key, values)
    if color and color in mesh.color_attributes:
        mesh.color_attributes.active_color = mesh.color_attributes[color]
        mesh.color_attributes.render_color_index = mesh.color_attributes.active_color_index
