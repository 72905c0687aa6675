"""Exports for a purpose: preparing the mesh, and writing it (file_formats.PRESETS)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import bmesh
import bpy
import numpy as np

from ..cleaning.clean_modifier import positions
from ..own_names import own_names
from ..scratch_scene import evaluated_mesh

WEB_FACES = 100_000
LOD_SHARES = (1.0, 0.25, 0.0625)  # of the faces
LEVEL_SHARES = (1.0, 0.5, 0.25, 0.125, 0.0625)
# The share of the screen's height from which a level is shown: half the faces are enough at .7 of the size.
LEVEL_COVERAGE = [0.5, 0.35, 0.25, 0.175, 0.0]
HULL_DIRECTIONS = 64  # Unreal takes hulls of at most 255 vertices
MAX_NAME = 48  # Blender's names have 63 bytes, including prefix and suffix
_LOD_GROUP = "LodGroup"  # the kind of node that Unreal and Unity take for levels of detail


def reduce_faces(obj: bpy.types.Object, faces: int) -> None:
    """Decimate a single-user object's mesh to about that many triangles at most; UVs and materials are kept."""
    count = len(obj.data.polygons)
    if count <= faces:
        return
    before = obj.data
    modifier = obj.modifiers.new("Recon3D Decimate", "DECIMATE")
    modifier.ratio = faces / count
    mesh = evaluated_mesh(obj, before.name)
    obj.modifiers.remove(modifier)
    obj.data = mesh
    bpy.data.meshes.remove(before)


@contextmanager
def game_parts(obj: bpy.types.Object, name: str) -> Iterator[list[bpy.types.Object]]:
    """The mesh as levels of detail in a group, and a convex hull that Unreal uses for collision.

    NAME (the group), NAME_LOD0 (the object itself), NAME_LOD1, NAME_LOD2 and UCX_NAME_LOD0_01, removed after the block.
    """
    name = re.sub(r"[^\w]+", "_", name, flags=re.ASCII).strip("_")[:MAX_NAME] or "Asset"
    levels = [f"{name}_LOD{level}" for level in range(len(LOD_SHARES))]
    with own_names({name, *levels, f"UCX_{levels[0]}_01"}):
        yield from _game_parts(obj, name)


def _game_parts(obj: bpy.types.Object, name: str) -> Iterator[list[bpy.types.Object]]:
    obj.name = f"{name}_LOD0"
    group = bpy.data.objects.new(name, None)
    group["fbx_type"] = _LOD_GROUP
    lods = []
    try:
        for level, share in enumerate(LOD_SHARES[1:], 1):
            lod = obj.copy()
            lod.data = obj.data.copy()
            lod.name = f"{name}_LOD{level}"
            lods.append(lod)
            reduce_faces(lod, max(4, int(share * len(obj.data.polygons))))
        hull = bpy.data.objects.new(f"UCX_{name}_LOD0_01", _hull(obj.data))
        for lod in (obj, *lods):
            lod.parent = group
        lods.append(hull)
        yield [*lods, group]
    finally:
        obj.parent = None
        for part in lods:
            mesh = part.data
            bpy.data.objects.remove(part)
            bpy.data.meshes.remove(mesh)
        bpy.data.objects.remove(group)


def level_names(name: str) -> list[str]:
    return [f"{name[:MAX_NAME]}_LOD{level}" for level in range(len(LEVEL_SHARES))]


@contextmanager
def levels(obj: bpy.types.Object, name: str) -> Iterator[list[bpy.types.Object]]:
    """The object, named as the first of `level_names`, and the further levels of detail, removed after the block. Each
    is made from the one before it."""
    names = level_names(name)
    lods: list[bpy.types.Object] = []
    with own_names(set(names)):
        obj.name = names[0]
        count, last = len(obj.data.polygons), obj
        try:
            for level_name, share in zip(names[1:], LEVEL_SHARES[1:], strict=True):
                lod = last.copy()
                lod.data = last.data.copy()
                lod.name = level_name
                lods.append(lod)
                reduce_faces(lod, max(4, int(share * count)))
                last = lod
            yield lods
        finally:
            for lod in lods:
                mesh = lod.data
                bpy.data.objects.remove(lod)
                bpy.data.meshes.remove(mesh)


def _hull(mesh: bpy.types.Mesh) -> bpy.types.Mesh:
    """The convex hull of the farthest vertices in evenly distributed directions (a Fibonacci sphere)."""
    number = np.arange(HULL_DIRECTIONS) + 0.5
    height, turn = 1 - 2 * number / HULL_DIRECTIONS, np.pi * (1 + 5**0.5) * number
    around = np.sqrt(1 - height**2)
    directions = np.stack([around * np.cos(turn), around * np.sin(turn), height], axis=1)
    points = positions(mesh)
    chosen = np.unique((points @ directions.T).argmax(axis=0))
    build = bmesh.new()
    try:
        for point in points[chosen]:
            build.verts.new(point.tolist())
        built = bmesh.ops.convex_hull(build, input=build.verts)
        loose = [part for part in built["geom_interior"] if isinstance(part, bmesh.types.BMVert)]
        bmesh.ops.delete(build, geom=loose, context="VERTS")
        hull = bpy.data.meshes.new("Hull")
        build.to_mesh(hull)
    finally:
        build.free()
    return hull
