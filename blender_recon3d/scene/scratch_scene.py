"""Evaluate or edit objects in a temporary scene.

This includes hidden objects and those in excluded collections, and leaves the user's scene, selection and active object
unchanged. Blender operators without an equivalent in bpy.data are called in such a scene.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy
from mathutils import Matrix


@contextmanager
def own_scene(*objects: bpy.types.Object) -> Iterator[bpy.types.Scene]:
    """A scene with these objects, which is removed after the block."""
    scene = bpy.data.scenes.new("Recon3D Work")
    try:
        for obj in objects:
            scene.collection.objects.link(obj)
        scene.view_layers[0].update()
        yield scene
    finally:
        bpy.data.scenes.remove(scene)


@contextmanager
def operating_on(active: bpy.types.Object, *others: bpy.types.Object) -> Iterator[bpy.types.Scene]:
    """Inside the block, operators see a scene with only these objects, all selected, in Object Mode.

    The objects should not belong to another scene, since operators change them.
    """
    with own_scene(active, *others) as scene:
        layer = scene.view_layers[0]
        things = [active, *others]
        for obj in things:
            obj.hide_render = obj.hide_viewport = False
            obj.select_set(True, view_layer=layer)
        layer.objects.active = active
        layer.update()
        override: dict[str, Any] = {
            "scene": scene, "view_layer": layer, "collection": scene.collection,
            "active_object": active, "object": active, "selected_objects": things,
            "selected_editable_objects": things, "edit_object": None,
        }  # fmt: skip
        with bpy.context.temp_override(**override):
            yield scene


def evaluated_mesh(obj: bpy.types.Object, name: str) -> bpy.types.Mesh:
    """A new mesh of the object with modifiers applied, in the object's own coordinates, with all attributes."""
    with own_scene(obj) as scene:
        # preserve_all_data_layers would run the modifiers twice, and is not needed to keep the attributes.
        mesh = bpy.data.meshes.new_from_object(obj.evaluated_get(scene.view_layers[0].depsgraph))
    mesh.name = name
    return mesh


@contextmanager
def scratch(
    mesh: bpy.types.Mesh, matrix: Matrix | None = None, keep: bool = False
) -> Iterator[bpy.types.Object]:
    """A temporary object of the mesh, at the origin or at `matrix`, removed after the block with its mesh.

    keep: do not remove the mesh.
    """
    obj = bpy.data.objects.new(mesh.name, mesh)
    if matrix is not None:
        obj.matrix_basis = matrix
    try:
        yield obj
    finally:
        temporary = obj.data
        bpy.data.objects.remove(obj)
        if not keep and temporary is not None and temporary.users == 0:
            bpy.data.meshes.remove(temporary)
