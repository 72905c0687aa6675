"""Select one of an import's meshes, and add meshes derived from it."""

from __future__ import annotations

import bpy

from ...pipeline.errors import UserError
from ..cameras import KEY
from ..find_imports import SURFACES, add_beside, check_addable, check_editable, hide, is_hidden, objects_of


def surface_of(collection: bpy.types.Collection, kinds: tuple[str, ...] = SURFACES) -> bpy.types.Object:
    """The mesh to work on: the active object if it is one of the visible meshes, or else the last of them.

    UserError if there is none, or if it has no faces.
    """
    surfaces = objects_of(collection, *kinds)
    if not surfaces:
        raise UserError("There is no mesh in this scene: press Build Mesh first.")
    active = bpy.context.view_layer.objects.active if bpy.context.view_layer else None
    chosen = (
        active
        if active in surfaces and not is_hidden(active)
        else ([o for o in surfaces if not is_hidden(o)] or surfaces)[-1]
    )
    if chosen.mode == "EDIT":
        chosen.update_from_editmode()
    if not len(chosen.data.polygons):
        raise UserError(f"{chosen.name} has no faces: set Region to All and press Build Mesh again.")
    return chosen


def add_surface(
    mesh: bpy.types.Mesh, source: bpy.types.Object, collection: bpy.types.Collection, kind: str
) -> bpy.types.Object:
    """Add an object of the mesh at `source`. The import's other meshes are hidden, since overlapping ones flicker."""
    obj = bpy.data.objects.new(mesh.name, mesh)
    obj[KEY] = {"kind": kind}
    add_beside(obj, source, collection)
    hide(*(other for other in objects_of(collection, *SURFACES) if other != obj))
    return obj


def check_source(obj: bpy.types.Object, faces: int) -> None:
    """UserError if it cannot be remeshed with that many faces."""
    check_editable(obj)
    check_addable(obj)
    if faces < 4:
        raise UserError(f"{faces} faces are too few: use at least 4.", 2)
