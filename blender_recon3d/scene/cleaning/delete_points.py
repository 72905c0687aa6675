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
from ..picking import View, inside_in_steps, shown_objects
from ..stepwise import Steps, run

EDITED = "edited"  # stored on a cloud with deleted points: the engine then meshes the remaining ones
# The property, type and size of an attribute's values.
_VALUES = {
    "FLOAT": ("value", np.float32, 1), "INT": ("value", np.int32, 1), "INT8": ("value", np.int32, 1),
    "BOOLEAN": ("value", bool, 1), "FLOAT2": ("vector", np.float32, 2), "FLOAT_VECTOR": ("vector", np.float32, 3),
    "FLOAT_COLOR": ("color", np.float32, 4), "BYTE_COLOR": ("color_srgb", np.float32, 4),
}  # fmt: skip


def delete_in_lasso(collection: bpy.types.Collection, view: View, lasso: list[tuple[float, float]]) -> str:
    """`lasso_in_steps`, at once."""
    return run(lasso_in_steps(collection, view, lasso))


def count_in_steps(
    collection: bpy.types.Collection, view: View, lasso: list[tuple[float, float]]
) -> Steps[int]:
    """How many points of the visible clouds and meshes are inside a lasso, at any depth."""
    count = 0
    for obj in shown_objects(collection):
        inside = yield from inside_in_steps(view, lasso, obj)
        count += int(inside.sum())
    return count


def lasso_in_steps(
    collection: bpy.types.Collection, view: View, lasso: list[tuple[float, float]]
) -> Steps[str]:
    """Delete everything inside a lasso, at any depth, from the import's visible clouds and meshes.

    UserError if the lasso contains nothing or everything, or if nothing is visible.
    """
    things = shown_objects(collection)
    if not things:
        raise UserError("No cloud or mesh is visible: show one first.")
    check_editable(*things, *(obj.data for obj in things))
    with object_mode():
        hits = []
        for obj in things:
            inside = yield from inside_in_steps(view, lasso, obj)
            if inside.any():
                hits.append((obj, inside))
        if not hits:
            raise UserError("There are no points inside the lasso: draw it around those to delete.")
        for obj, inside in hits:
            if inside.all():
                raise UserError(
                    f"The lasso contains all of {obj.name}: draw it around a part, or hide the object."
                )
        new = []  # all are ready before the first is replaced: cancelled, nothing has changed
        try:
            for obj, inside in hits:
                new.append((yield from _without(obj.data, inside)))
        except BaseException:
            for mesh in new:
                bpy.data.meshes.remove(mesh)
            raise
        for (obj, _), mesh in zip(hits, new, strict=True):
            _replace(obj, mesh)
    counts = ", ".join(f"{int(inside.sum()):,} of {obj.name}" for obj, inside in hits)
    return Said("Deleted {counts}.", counts=counts)


def delete_vertices(obj: bpy.types.Object, selected: np.ndarray) -> None:
    """Delete the vertices where `selected` [n] is true, with their faces. In Object Mode."""
    _replace(obj, run(_without(obj.data, selected)))


def _without(mesh: bpy.types.Mesh, selected: np.ndarray) -> Steps[bpy.types.Mesh]:
    """A copy of a mesh without some vertices [n]."""
    copy = mesh.copy()
    try:
        yield None
        yield from (
            _delete_from_mesh(copy, selected) if len(mesh.polygons) else _keep_in_cloud(copy, ~selected)
        )
        copy.update()
    except BaseException:
        bpy.data.meshes.remove(copy)
        raise
    return copy


def _replace(obj: bpy.types.Object, mesh: bpy.types.Mesh) -> None:
    """Give the object, and all that share its mesh, another of the same name."""
    old, name = obj.data, obj.data.name
    if not len(old.polygons):
        obj[KEY] = {**dict(obj[KEY]), EDITED: True}
    old.user_remap(mesh)
    bpy.data.meshes.remove(old)
    mesh.name = name


def is_edited(cloud: bpy.types.Object) -> bool:
    """Whether points were deleted from a cloud manually."""
    stored = cloud.get(KEY)
    return bool(kind_of(cloud)) and bool(stored.get(EDITED, False))


def _delete_from_mesh(mesh: bpy.types.Mesh, selected: np.ndarray) -> Steps[None]:
    edited = bmesh.new()
    try:
        edited.from_mesh(mesh)
        yield None
        edited.verts.ensure_lookup_table()
        going = [edited.verts[n] for n in np.flatnonzero(selected).tolist()]
        yield None
        bmesh.ops.delete(edited, geom=going, context="VERTS")
        yield None
        edited.to_mesh(mesh)
    finally:
        edited.free()


def _keep_in_cloud(mesh: bpy.types.Mesh, keep: np.ndarray) -> Steps[None]:
    """Rebuild a mesh without edges and faces from the vertices to keep, with their attributes."""
    attributes: list[tuple[str, str, str, Any]] = []
    color = mesh.color_attributes.active_color_name
    names = [
        attribute.name
        for attribute in mesh.attributes
        if attribute.domain == "POINT"
        and attribute.data_type in _VALUES
        and not attribute.name.startswith(".select")
    ]
    for name in names:
        yield None
        attribute = mesh.attributes[name]
        key, dtype, size = _VALUES[attribute.data_type]
        values = np.empty(len(keep) * size, dtype)
        attribute.data.foreach_get(key, values)
        remaining = values.reshape(-1, size)[keep].ravel()
        attributes.append((name, attribute.data_type, key, np.ascontiguousarray(remaining)))
    mesh.clear_geometry()
    mesh.vertices.add(int(keep.sum()))
    for name, kind, key, values in attributes:
        yield None
        attribute = mesh.attributes.get(name) or mesh.attributes.new(name, kind, "POINT")
        attribute.data.foreach_set(key, values)
    if color and color in mesh.color_attributes:
        mesh.color_attributes.active_color = mesh.color_attributes[color]
        mesh.color_attributes.render_color_index = mesh.color_attributes.active_color_index
