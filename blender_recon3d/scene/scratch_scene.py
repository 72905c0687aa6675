"""Objects evaluated or worked on in a scene of their own.

So hidden objects and those of excluded collections count too, and the user's scene, its selection and its active
object are left alone. Where only an operator of Blender's does a thing, it is called in such a scene.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy
from mathutils import Matrix


@contextmanager
def own_scene(*objects: bpy.types.Object) -> Iterator[bpy.types.Scene]:
    """A scene with these objects in it, which is gone after the block."""
    scene = bpy.data.scenes.new("Recon3D Work")
    try:
        for thing in objects:
            scene.collection.objects.link(thing)
        scene.view_layers[0].update()
        yield scene
    finally:
        bpy.data.scenes.remove(scene)


@contextmanager
def operating_on(active: bpy.types.Object, *others: bpy.types.Object) -> Iterator[bpy.types.Scene]:
    """Inside the block operators see a scene of these objects alone, all selected, in Object mode.

    The objects should belong to no other scene: operators change them.
    """
    with own_scene(active, *others) as scene:
        layer = scene.view_layers[0]
        things = [active, *others]
        for thing in things:
            thing.hide_render = thing.hide_viewport = False
            thing.select_set(True, view_layer=layer)
        layer.objects.active = active
        layer.update()
        override: dict[str, Any] = {
            "scene": scene, "view_layer": layer, "collection": scene.collection,
            "active_object": active, "object": active, "selected_objects": things,
            "selected_editable_objects": things, "edit_object": None,
        }  # fmt: skip
        with bpy.context.temp_override(**override):
            yield scene


def evaluated_mesh(thing: bpy.types.Object, name: str) -> bpy.types.Mesh:
    """A new mesh of the object as its modifiers make it, in the object's own coordinates, with all attributes."""
    with own_scene(thing) as scene:
        # Asked to preserve all layers, it would run the modifiers a second time; what there is, they leave.
        mesh = bpy.data.meshes.new_from_object(thing.evaluated_get(scene.view_layers[0].depsgraph))
    mesh.name = name
    return mesh


@contextmanager
def scratch(
    mesh: bpy.types.Mesh, matrix: Matrix | None = None, keep: bool = False
) -> Iterator[bpy.types.Object]:
    """An object of the mesh, at the origin or at `matrix`, which is removed after the block with its mesh.

    keep: leave the mesh.
    """
    thing = bpy.data.objects.new(mesh.name, mesh)
    if matrix is not None:
        thing.matrix_basis = matrix
    try:
        yield thing
    finally:
        left = thing.data
        bpy.data.objects.remove(thing)
        if not keep and left is not None and left.users == 0:
            bpy.data.meshes.remove(left)
