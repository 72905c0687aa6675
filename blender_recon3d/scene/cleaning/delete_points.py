"""Delete points of clouds and vertices of meshes, in Object Mode and quickly: a cloud may have millions."""

from __future__ import annotations

import bpy
import numpy as np

from ...pipeline.errors import UserError
from ...pipeline.text import Said
from ..cameras import KEY
from ..find_imports import CLOUD, MESH, check_editable, objects_of
from ..modes import object_mode
from ..node_tree import Builder
from ..picking import View, inside_in_steps, shown_objects
from ..scratch_scene import evaluated_mesh, scratch
from ..stepwise import Steps, run
from .deleted_points import EDITED

_GOING = "recon3d_going"  # an attribute of a temporary mesh


def delete_in_lasso(collection: bpy.types.Collection, view: View, lasso: list[tuple[float, float]]) -> str:
    """`lasso_in_steps`, at once."""
    return run(lasso_in_steps(collection, view, lasso))


def count_in_steps(
    collection: bpy.types.Collection, view: View, lasso: list[tuple[float, float]]
) -> Steps[int]:
    """How many points of the clouds and meshes that would be edited are inside a lasso, at any depth."""
    count = 0
    for obj in edited_objects(collection):
        inside = yield from inside_in_steps(view, lasso, obj)
        count += int(inside.sum())
    return count


def lasso_in_steps(
    collection: bpy.types.Collection, view: View, lasso: list[tuple[float, float]]
) -> Steps[str]:
    """Delete everything inside a lasso, at any depth, from the import's visible clouds and meshes, and from its cloud
    and mesh even if one of them is hidden: otherwise the next mesh would have it again.

    UserError if the lasso contains nothing or everything, or if nothing is visible.
    """
    things = edited_objects(collection)
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


def edited_objects(collection: bpy.types.Collection) -> list[bpy.types.Object]:
    """The import's visible clouds and meshes, and its cloud and mesh in any case; empty if nothing is visible."""
    shown = shown_objects(collection)
    if not shown:
        return []
    others = [obj for obj in objects_of(collection, CLOUD, MESH) if obj not in shown]
    return shown + [obj for obj in others if len(obj.data.vertices)]


def _without(mesh: bpy.types.Mesh, selected: np.ndarray) -> Steps[bpy.types.Mesh]:
    """A copy of a mesh without some vertices [n]; by Geometry Nodes, which is several times as fast as bmesh."""
    if mesh.shape_keys:
        raise UserError(f"{mesh.name} has shape keys, which deleting points would lose: remove them first.")
    copy = mesh.copy()
    group = _deletion()
    try:
        copy.attributes.new(_GOING, "BOOLEAN", "POINT").data.foreach_set("value", selected)
        yield None
        with scratch(copy, keep=True) as obj:
            obj.modifiers.new(group.name, "NODES").node_group = group
            remaining = evaluated_mesh(obj, mesh.name)
    finally:
        bpy.data.meshes.remove(copy)
        bpy.data.node_groups.remove(group)
    return remaining


def _deletion() -> bpy.types.GeometryNodeTree:
    """A node group that deletes the vertices whose attribute _GOING is true, with their edges and faces."""
    nodes = Builder("Recon3D Delete")
    nodes.input("Geometry", "NodeSocketGeometry")
    nodes.output("Geometry", "NodeSocketGeometry")
    delete = nodes.node("GeometryNodeDeleteGeometry", domain="POINT", mode="ALL")
    nodes.link(nodes.group_input("Geometry"), delete.inputs["Geometry"])
    nodes.link(nodes.attribute(_GOING, "BOOLEAN")[0], delete.inputs["Selection"])
    clear = nodes.node("GeometryNodeRemoveAttribute")
    nodes.link(delete.outputs["Geometry"], clear.inputs["Geometry"])
    clear.inputs["Name"].default_value = _GOING
    nodes.group_output("Geometry", clear.outputs["Geometry"])
    return nodes.tree


def _replace(obj: bpy.types.Object, mesh: bpy.types.Mesh) -> None:
    """Give the object, and all that share its mesh, another of the same name."""
    old, name = obj.data, obj.data.name
    if not len(old.polygons):
        obj[KEY] = {**dict(obj[KEY]), EDITED: True}
    old.user_remap(mesh)
    bpy.data.meshes.remove(old)
    mesh.name = name
