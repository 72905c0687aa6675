"""The mesh of a workspace as an object under the import's Empty, with vertex colors, UVs and texture.

When imported again, its data is re-created, while the object, its modifiers and the user's materials are kept. The full
mesh, from before decimation, is imported for baking and stays hidden, since it may have millions of faces.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from ..cameras import KEY
from ..cloud import deselect, set_colors
from ..find_imports import (
    FULL_MESH,
    MESH,
    check_editable,
    empty_of,
    find_object,
    hide,
    offset_of_import,
    workspace_of,
)
from ..importing.mesh_files import Surface, read_full, read_surface
from ..modes import object_mode
from ..stepwise import Steps, run
from ..unfinished import unfinished
from .image_tiles import load_image
from .mesh_material import mesh_material, set_normal_map, set_occlusion, update_materials

NAME = "Recon3D Mesh"
UV_MAP = "UVMap"


def import_mesh(collection: bpy.types.Collection) -> tuple[bpy.types.Object, tuple[str, ...]]:
    """Import the workspace's mesh into an import's collection, or update it there; returns the object and notes.

    Raises UserError, before anything is changed, if the workspace has no mesh.
    """
    return run(import_mesh_in_steps(collection))


def import_mesh_in_steps(
    collection: bpy.types.Collection,
) -> Steps[tuple[bpy.types.Object, tuple[str, ...]]]:
    """`import_mesh`, in steps."""
    surface = yield partial(read_surface, workspace_of(collection), offset_of_import(collection))
    _check(collection, MESH)
    mesh = yield from mesh_in_steps(surface, NAME)
    return put_mesh(collection, surface, mesh)


def put_mesh(
    collection: bpy.types.Collection, surface: Surface, mesh: bpy.types.Mesh
) -> tuple[bpy.types.Object, tuple[str, ...]]:
    """Set the import's mesh object, created if there is none, to the surface's mesh; returns the object and notes."""
    obj = _put(collection, mesh, MESH, NAME)
    if surface.density is not None:
        obj[KEY] = {"kind": MESH, **surface.density.facts()}
    texture, colored = surface.texture, surface.rgb is not None
    materials = update_materials(obj.data, texture, colored)
    if not materials and not len(obj.data.materials):
        materials = [mesh_material(NAME, texture, colored)]
        obj.data.materials.append(materials[0])
    for material in materials:
        if surface.normal is not None:
            set_normal_map(material, load_image(surface.normal, is_data=True), UV_MAP)
        if surface.occlusion is not None:
            set_occlusion(material, load_image(surface.occlusion, is_data=True))
    return obj, surface.notes


def full_mesh(collection: bpy.types.Collection) -> bpy.types.Object:
    """The mesh from before decimation, hidden; imported if it is not in the scene yet. Raises UserError."""
    return run(full_mesh_in_steps(collection))


def full_mesh_in_steps(collection: bpy.types.Collection) -> Steps[bpy.types.Object]:
    """`full_mesh`, in steps."""
    existing = find_object(collection, FULL_MESH)
    if existing is not None and len(existing.data.polygons):
        return existing
    return (yield from import_full_in_steps(collection))


def import_full_mesh(collection: bpy.types.Collection) -> bpy.types.Object:
    """Import the mesh from before decimation, or update it; hidden. Raises UserError if there is none."""
    return run(import_full_in_steps(collection))


def import_full_in_steps(collection: bpy.types.Collection) -> Steps[bpy.types.Object]:
    """`import_full_mesh`, in steps."""
    full = yield partial(read_full, workspace_of(collection), offset_of_import(collection))
    _check(collection, FULL_MESH)
    mesh = yield from mesh_in_steps(full, f"{NAME} Full")
    obj = _put(collection, mesh, FULL_MESH, f"{NAME} Full")
    hide(obj)
    return obj


def forget_full_mesh(collection: bpy.types.Collection) -> None:
    """Remove the full mesh, which now belongs to an earlier mesh."""
    existing = find_object(collection, FULL_MESH)
    if existing is not None and existing.library is None:
        data = existing.data
        bpy.data.objects.remove(existing)
        if data.users == 0:
            bpy.data.meshes.remove(data)


def _check(collection: bpy.types.Collection, kind: str) -> None:
    """UserError if the collection's object of this kind cannot be created or given another mesh."""
    empty_of(collection)
    existing = find_object(collection, kind)
    check_editable(existing, existing.data if existing else None)


def _put(collection: bpy.types.Collection, mesh: bpy.types.Mesh, kind: str, name: str) -> bpy.types.Object:
    """The collection's object of this kind, created if there is none, with this mesh as its data."""
    empty, existing = empty_of(collection), find_object(collection, kind)
    if existing is None:
        obj = bpy.data.objects.new(name, mesh)
        obj[KEY] = {"kind": kind}
        collection.objects.link(obj)
        obj.parent = empty
        obj.matrix_parent_inverse = Matrix.Identity(4)
        return obj
    old = existing.data
    for material in old.materials:
        mesh.materials.append(material)
    name = old.name
    with object_mode():
        existing.data = mesh
    if old.users == 0:
        bpy.data.meshes.remove(old)
        mesh.name = name
    return existing


def create_mesh(surface: Surface, name: str) -> bpy.types.Mesh:
    """The surface as a Blender mesh with smooth shading, which matches its own normals."""
    return run(mesh_in_steps(surface, name))


def mesh_in_steps(surface: Surface, name: str) -> Steps[bpy.types.Mesh]:
    """`create_mesh`, in steps."""
    mesh = bpy.data.meshes.new(name)
    with unfinished(mesh):
        count = len(surface.faces)
        mesh.vertices.add(len(surface.xyz))
        mesh.vertices.foreach_set("co", np.nan_to_num(surface.xyz).ravel())
        yield None
        mesh.loops.add(3 * count)
        mesh.loops.foreach_set("vertex_index", np.ascontiguousarray(surface.faces, np.int32).ravel())
        yield None
        mesh.polygons.add(count)
        mesh.polygons.foreach_set("loop_start", np.arange(0, 3 * count, 3, dtype=np.int32))
        yield None
        if surface.rgb is not None and len(surface.xyz):
            set_colors(mesh, surface.rgb)
            yield None
        if surface.uv is not None and count:
            layer = mesh.uv_layers.new(name=UV_MAP, do_init=False)
            layer.uv.foreach_set("vector", np.ascontiguousarray(surface.uv, np.float32).ravel())
            yield None
        mesh.update(calc_edges=True)
        yield None
        deselect(mesh)
        yield None
    return mesh


def triangles_of(mesh: bpy.types.Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Vertices float64 [n, 3] and triangles int32 [m, 3], with polygons triangulated."""
    xyz = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", xyz)
    mesh.calc_loop_triangles()
    faces = np.empty(3 * len(mesh.loop_triangles), np.int32)
    mesh.loop_triangles.foreach_get("vertices", faces)
    return xyz.reshape(-1, 3).astype(np.float64), faces.reshape(-1, 3)


def texture_folder(collection: bpy.types.Collection) -> Path:
    """The folder for baked images, beside the engine's texture."""
    return workspace_of(collection) / "texture"
