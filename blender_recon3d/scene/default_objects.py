"""The default objects of a new Blender file, which are hidden if they would overlap a result and are unmodified."""

from __future__ import annotations

import bpy
from mathutils import Matrix

from .find_imports import hide


def is_default_cube(obj: bpy.types.Object) -> bool:
    """Whether this is the unmodified cube of a new file."""
    mesh = obj.data
    return (
        obj.name == "Cube"
        and isinstance(mesh, bpy.types.Mesh)
        and (len(mesh.vertices), len(mesh.polygons)) == (8, 6)
        and not (obj.modifiers or obj.parent or obj.children or obj.animation_data)
        and obj.matrix_basis == Matrix.Identity(4)
        and all(abs(abs(value) - 1.0) < 1e-6 for vertex in mesh.vertices for value in vertex.co)
    )


def hide_default_cube(scene: bpy.types.Scene) -> bool:
    """Hide the default cube; returns whether one was visible. Outside Object Mode it counts as in use."""
    for obj in scene.collection.all_objects:
        if is_default_cube(obj) and obj.mode == "OBJECT" and not obj.hide_render:
            hide(obj)
            return True
    return False


def is_untouched(scene: bpy.types.Scene) -> bool:
    """Whether the scene contains nothing but the default cube, lights and the user's cameras."""
    return all(
        is_default_cube(obj) or obj.type in ("LIGHT", "CAMERA") for obj in scene.collection.all_objects
    )


def nothing_is_chosen(scene: bpy.types.Scene) -> bool:
    """Whether none of the user's objects is active or selected in the displayed scene."""
    layer = bpy.context.view_layer
    if layer is None or scene != bpy.context.scene:
        return False
    active = layer.objects.active
    return (active is None or (is_default_cube(active) and active.hide_render)) and not layer.objects.selected
