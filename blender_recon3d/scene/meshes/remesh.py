"""Decimate a copy of the mesh, or remesh it to quads; the original is hidden.

Quads come from QuadriFlow (Huang et al., 2018), which Blender has only as an operator; it refuses meshes that are not
manifold, for which the Remesh modifier is used instead (voxels).
"""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix, kdtree

from ...pipeline.errors import UserError
from ...pipeline.text import Said
from ..cameras import KEY
from ..cleaning.clean_modifier import positions
from ..find_imports import (
    DECIMATED,
    LOD,
    MESH,
    QUADS,
    add_beside,
    check_editable,
    find_object,
    hide,
    objects_of,
)
from ..modes import object_mode
from ..point_display import COLOR
from ..scratch_scene import evaluated_mesh, operating_on, scratch
from .fill_holes import fill_holes
from .mesh_object import NAME
from .surfaces import add_surface, check_source, surface_of

MAX_LEVELS = 8
_ENLARGED = 10_000.0  # size of a mesh for QuadriFlow
_VOXEL_TRIALS = 3
_MIN_SHARE = 0.2  # of the requested faces; with fewer, QuadriFlow has lost parts


def decimate(collection: bpy.types.Collection, faces: int) -> bpy.types.Object:
    """A copy of the mesh with about `faces` triangles at most; UVs, colors and materials are kept. UserError."""
    with object_mode():
        source = decimate_source(collection, faces)
        return add_decimated(collection, source, decimated_mesh(source, faces), faces)


def decimate_source(collection: bpy.types.Collection, faces: int) -> bpy.types.Object:
    """The mesh to decimate. UserError if that is not possible."""
    source = surface_of(collection)
    check_source(source, faces)
    count = len(source.data.polygons)
    if faces >= count:
        raise UserError(f"{source.name} has only {count:,} faces: choose fewer.", 2)
    return source


def decimated_mesh(source: bpy.types.Object, faces: int) -> bpy.types.Mesh:
    """A new mesh from the source, with about that many faces."""
    return _decimated(source, faces / len(source.data.polygons), f"{NAME} Decimated")


def add_decimated(
    collection: bpy.types.Collection, source: bpy.types.Object, mesh: bpy.types.Mesh, faces: int
) -> bpy.types.Object:
    """Add the mesh as an object at `source`, which is hidden."""
    mesh.name = f"{NAME} {_short(faces)}"
    return add_surface(mesh, source, collection, DECIMATED)


def faces_sentence(obj: bpy.types.Object) -> str:
    return Said("{name} has {faces} faces.", name=obj.name, faces=f"{len(obj.data.polygons):,}")


def make_lods(
    collection: bpy.types.Collection, levels: int = 5, ratio: float = 0.5
) -> list[bpy.types.Object]:
    """The unchanged mesh as LOD0, and copies LOD1, LOD2, ..., each with `ratio` times the previous one's faces.

    UVs, colors and materials are kept; the copies are hidden. Those of an earlier call are replaced. UserError.
    """
    with object_mode():
        source = lods_source(collection, levels, ratio)
        return add_lods(collection, source, lod_meshes(source, levels, ratio))


def lods_source(collection: bpy.types.Collection, levels: int, ratio: float) -> bpy.types.Object:
    """The mesh for the levels. UserError if that is not possible."""
    if not (2 <= levels <= MAX_LEVELS and 0.05 <= ratio <= 0.95):
        raise UserError(
            f"{levels} levels of ratio {ratio:g} are not possible: use 2 to {MAX_LEVELS}, .05 to .95.", 2
        )
    source = surface_of(collection)
    check_source(source, int(len(source.data.polygons) * ratio ** (levels - 1)))
    check_editable(*objects_of(collection, LOD))
    return source


def lod_meshes(source: bpy.types.Object, levels: int, ratio: float) -> list[bpy.types.Mesh]:
    """The meshes of LOD1, LOD2, ..., each made from the previous one."""
    lods = [_decimated(source, ratio, f"{source.name} LOD1")]
    for level in range(2, levels):
        with scratch(lods[-1], keep=True) as before:
            lods.append(_decimated(before, ratio, f"{source.name} LOD{level}"))
    return lods


def add_lods(
    collection: bpy.types.Collection, source: bpy.types.Object, meshes: list[bpy.types.Mesh]
) -> list[bpy.types.Object]:
    """Add the levels as hidden objects, replacing those of an earlier call; the source comes first."""
    for old in objects_of(collection, LOD):
        _remove(old)
    levels = [source]
    for level, mesh in enumerate(meshes, 1):
        mesh.name = f"{source.name} LOD{level}"
        obj = bpy.data.objects.new(mesh.name, mesh)
        obj[KEY] = {"kind": LOD}
        add_beside(obj, source, collection)
        levels.append(obj)
    hide(*levels[1:])
    return levels


def lods_sentence(levels: list[bpy.types.Object]) -> str:
    counts = ", ".join(f"{len(obj.data.polygons):,}" for obj in levels)
    return Said(
        "{name} has {levels} levels: {counts} faces.", name=levels[0].name, levels=len(levels), counts=counts
    )


def _decimated(source: bpy.types.Object, ratio: float, name: str) -> bpy.types.Mesh:
    copy = source.copy()
    try:
        copy.modifiers.new("Recon3D Decimate", "DECIMATE").ratio = ratio
        return evaluated_mesh(copy, name)
    finally:
        bpy.data.objects.remove(copy)


def _remove(obj: bpy.types.Object) -> None:
    mesh = obj.data
    bpy.data.objects.remove(obj)
    if mesh.users == 0:
        bpy.data.meshes.remove(mesh)


def quads(collection: bpy.types.Collection, faces: int) -> tuple[bpy.types.Object, str]:
    """A copy of the mesh with about `faces` quads and vertex colors, and a message on the method. UserError.

    It has no UVs: baking (scene/meshes/bake.py) creates them and transfers the texture.
    """
    with object_mode():
        source = quads_source(collection, faces)
        mesh, how = quad_mesh(source, faces)
    return add_quads(collection, source, mesh, how, faces)


def quads_source(collection: bpy.types.Collection, faces: int) -> bpy.types.Object:
    """The mesh to remesh: the original one if it exists. UserError if it cannot be remeshed."""
    source = surface_of(collection, (MESH,)) if find_object(collection, MESH) else surface_of(collection)
    check_source(source, faces)
    return source


def quad_mesh(source: bpy.types.Object, faces: int) -> tuple[bpy.types.Mesh, str]:
    """The quads, and the method. Takes a quarter of a minute for 50,000 faces. UserError."""
    mesh = evaluated_mesh(source, "Recon3D Quads")
    colors = _colors(mesh)
    for layer in list(mesh.uv_layers):
        mesh.uv_layers.remove(layer)
    remeshed = _quadriflow(mesh, faces)
    how: str = Said("QuadriFlow")
    if not remeshed:
        how = Said("the Remesh modifier, with holes closed, since QuadriFlow fails on this mesh")
        mesh = _voxels(mesh, faces)
    if not len(mesh.polygons):
        bpy.data.meshes.remove(mesh)
        raise UserError(
            f"{source.name} cannot be remeshed to quads: fill its holes first, or choose more faces."
        )
    if colors is not None:
        _bring_colors(mesh, *colors)
    mesh.shade_smooth()
    return mesh, how


def add_quads(
    collection: bpy.types.Collection, source: bpy.types.Object, mesh: bpy.types.Mesh, how: str, faces: int
) -> tuple[bpy.types.Object, str]:
    """Add the quads as an object at `source`, which is hidden; returns it with a message."""
    with object_mode():
        mesh.name = f"{NAME} Quads {_short(faces)}"
        obj = add_surface(mesh, source, collection, QUADS)
    return obj, Said("{faces} faces by {method}.", faces=f"{len(mesh.polygons):,}", method=how)


def _quadriflow(mesh: bpy.types.Mesh, faces: int) -> bool:
    """Remesh with QuadriFlow; returns whether it succeeded, otherwise the mesh is unchanged.

    Blender refuses edges shorter than 0.1 mm, whatever the mesh's size, so it is enlarged temporarily.
    """
    before = len(mesh.vertices), len(mesh.polygons)
    factor = _ENLARGED / max(1e-9, float(np.ptp(positions(mesh), axis=0).max()))
    with scratch(mesh, keep=True) as obj, operating_on(obj):
        mesh.transform(Matrix.Scale(factor, 4))
        try:
            bpy.ops.object.quadriflow_remesh(
                target_faces=faces, use_preserve_boundary=True, use_mesh_symmetry=False, smooth_normals=False
            )
        except RuntimeError:  # an error that the operator reports
            return False
        finally:
            obj.data.transform(Matrix.Scale(1 / factor, 4))
    return (len(mesh.vertices), len(mesh.polygons)) != before and len(mesh.polygons) > _MIN_SHARE * faces


def _voxels(mesh: bpy.types.Mesh, faces: int) -> bpy.types.Mesh:
    """About that many voxel quads of the surface with its holes closed; the given mesh is removed.

    Voxel remeshing needs an inside and an outside: an open surface would leave only fragments.
    """
    fill_holes(mesh)
    size = (sum(polygon.area for polygon in mesh.polygons) / faces) ** 0.5
    with scratch(mesh) as obj:
        modifier = obj.modifiers.new("Remesh", "REMESH")
        modifier.mode = "VOXEL"
        modifier.voxel_size = max(1e-6, size)
        remeshed = evaluated_mesh(obj, "Recon3D Quads")
        for _ in range(_VOXEL_TRIALS):
            count = max(1, len(remeshed.polygons))
            if 0.8 < count / faces < 1.25:
                break
            bpy.data.meshes.remove(remeshed)
            modifier.voxel_size = max(1e-6, modifier.voxel_size * (count / faces) ** 0.5)
            remeshed = evaluated_mesh(obj, "Recon3D Quads")
    return remeshed


def _colors(mesh: bpy.types.Mesh) -> tuple[np.ndarray, np.ndarray] | None:
    """Vertices [n, 3] and their sRGB colors [n, 4]; None if there are no vertex colors."""
    colors = mesh.color_attributes.get(COLOR)
    if colors is None or colors.domain != "POINT":
        return None
    values = np.empty(4 * len(mesh.vertices), np.float32)
    colors.data.foreach_get("color_srgb", values)
    return positions(mesh), values.reshape(-1, 4)


def _bring_colors(mesh: bpy.types.Mesh, xyz: np.ndarray, colors: np.ndarray) -> None:
    """Set each vertex to the color of the nearest of the points [n, 3]."""
    tree = kdtree.KDTree(len(xyz))
    for number, point in enumerate(xyz.tolist()):
        tree.insert(point, number)
    tree.balance()
    nearest = [tree.find(point)[1] for point in positions(mesh).tolist()]
    old = mesh.color_attributes.get(COLOR)
    if old is not None:
        mesh.color_attributes.remove(old)
    attribute = mesh.color_attributes.new(COLOR, "BYTE_COLOR", "POINT")
    attribute.data.foreach_set("color_srgb", colors[nearest].ravel())
    mesh.color_attributes.active_color = attribute
    mesh.color_attributes.render_color_index = mesh.color_attributes.active_color_index


def _short(faces: int) -> str:
    return f"{faces / 1000:g}k" if faces >= 1000 else str(faces)
