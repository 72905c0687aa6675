"""Write any mesh with UVs as an OBJ file for the engine to paint, and use the painted image as a material."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import bpy
import numpy as np

from ...pipeline.errors import UserError
from ...pipeline.files.atomic_files import atomic_file
from ..find_imports import check_editable, empty_of, offset_of_import
from ..modes import object_mode
from ..scratch_scene import evaluated_mesh
from ..stepwise import Steps, run
from ..world_matrices import world_matrix
from . import background_work
from .bake import unwrap
from .image_tiles import load_image
from .mesh_material import mesh_material, set_base_color
from .mesh_object import triangles_of
from .surfaces import surface_of


def target_mesh(collection: bpy.types.Collection) -> bpy.types.Object:
    """The mesh to paint: the active object, or else the import's visible mesh. UserError."""
    active = bpy.context.view_layer.objects.active if bpy.context.view_layer else None
    obj = active if active is not None and active.type == "MESH" else surface_of(collection)
    check_editable(obj, obj.data)
    if not len(obj.data.polygons):
        raise UserError(f"{obj.name} has no faces: select the mesh to paint.")
    return obj


def write_obj(collection: bpy.types.Collection, obj: bpy.types.Object, path: Path) -> None:
    """Write the mesh with modifiers applied, in the model's frame. Without UVs it is unwrapped by Smart UV Project."""
    run(obj_in_steps(collection, obj, path, False))


def obj_in_steps(
    collection: bpy.types.Collection, obj: bpy.types.Object, path: Path, in_window: bool
) -> Steps[None]:
    """`write_obj`, in steps. in_window: unwrap in a second Blender if possible."""
    bare = not len(obj.data.uv_layers)
    if bare and in_window and background_work.is_possible():
        yield from background_work.in_background(lambda: background_work.start_unwrap(obj))
    try:
        xyz, uv, corners = _read(collection, obj)
        yield partial(_write, xyz, uv, corners, path)
    except GeneratorExit:
        if bare:
            obj.data.uv_layers.remove(obj.data.uv_layers[0])
        raise


def _read(collection: bpy.types.Collection, obj: bpy.types.Object) -> tuple[np.ndarray, ...]:
    """Vertices [n, 3] in the model's frame, UVs [l, 2], and vertex and UV of the triangles' corners [m, 6], from 1."""
    with object_mode():
        if not len(obj.data.uv_layers):
            unwrap(obj.data)
        mesh = evaluated_mesh(obj, "Recon3D Reproject")
    try:
        if mesh.uv_layers.active is None:
            raise UserError(
                f"The modifiers of {obj.name} leave no UVs: apply them and unwrap the mesh first."
            )
        return _arrays(mesh, _model_from_local(collection, obj))
    finally:
        bpy.data.meshes.remove(mesh)


def use_picture(obj: bpy.types.Object, path: Path) -> None:
    """Give the mesh a new material with the picture, or all tiles of which it is the first; its previous materials
    stay in the file."""
    check_editable(obj, obj.data)
    image = load_image(path)
    name = f"{obj.name} Photos"
    old = list(obj.data.materials)
    if len(old) == 1 and old[0] is not None and old[0].name == name:
        set_base_color(old[0], image, False)
        return
    for material in old:
        if material is not None:
            material.use_fake_user = True
    painted = mesh_material(name, None, False)
    set_base_color(painted, image, False)
    obj.data.materials.clear()
    obj.data.materials.append(painted)


def _model_from_local(collection: bpy.types.Collection, obj: bpy.types.Object) -> np.ndarray:
    matrix = np.array(world_matrix(empty_of(collection)).inverted_safe() @ world_matrix(obj), np.float64)
    matrix[:3, 3] += offset_of_import(collection)
    return matrix


def _arrays(mesh: bpy.types.Mesh, model_from_local: np.ndarray) -> tuple[np.ndarray, ...]:
    xyz, faces = triangles_of(mesh)
    loops = np.empty(3 * len(mesh.loop_triangles), np.int32)
    mesh.loop_triangles.foreach_get("loops", loops)
    uv = np.empty(2 * len(mesh.loops), np.float32)
    mesh.uv_layers.active.uv.foreach_get("vector", uv)
    xyz = xyz @ model_from_local[:3, :3].T + model_from_local[:3, 3]
    if np.linalg.det(model_from_local[:3, :3]) < 0:  # mirrored: faces would look inward
        faces, loops = faces[:, ::-1], loops.reshape(-1, 3)[:, ::-1]
    corners = np.stack([faces, loops.reshape(-1, 3)], axis=2).reshape(-1, 6) + 1
    return xyz, uv.reshape(-1, 2), corners


def _write(xyz: np.ndarray, uv: np.ndarray, corners: np.ndarray, path: Path) -> None:
    with atomic_file(path) as part, open(part, "w", encoding="ascii", newline="\n") as file:
        file.write(_lines("v %.9g %.9g %.9g\n", xyz))
        file.write(_lines("vt %.7g %.7g\n", uv))
        file.write(_lines("f %d/%d %d/%d %d/%d\n", corners))


def _lines(pattern: str, values: np.ndarray) -> str:
    return (pattern * len(values)) % tuple(values.ravel().tolist())
