"""Close the holes of a mesh."""

from __future__ import annotations

import bmesh
import bpy
from mathutils import Vector

from ...pipeline.meshing.flat_base import base_of
from .mesh_object import triangles_of
from .open_edges import holes


def fill_holes(mesh: bpy.types.Mesh, flat: bool = False) -> int:
    """Close all holes of a triangle mesh with fans around their centers; returns the number of holes.

    flat: the largest hole that faces down, z up, gets a flat base. Blender's own filling may reuse existing edges in
    large holes, and is then not manifold.
    """
    xyz, faces = triangles_of(mesh)
    loops = holes(faces)
    base = base_of(xyz, loops) if flat else None
    work = bmesh.new()
    try:
        work.from_mesh(mesh)
        bmesh.ops.triangulate(work, faces=[face for face in work.faces if len(face.verts) > 3])
        vertices = list(work.verts)
        for index, loop in enumerate(loops):
            rim = [vertices[number] for number in loop]
            if base is not None and index == base[0]:
                rim = _walls(work, rim, base[1])
            middle = work.verts.new(sum((vertex.co for vertex in rim), Vector()) / len(rim))
            for a, b in zip(rim, [*rim[1:], rim[0]], strict=True):
                work.faces.new((a, b, middle))
        work.to_mesh(mesh)
    finally:
        work.free()
    return len(loops)


def _walls(work: bmesh.types.BMesh, rim: list[bmesh.types.BMVert], height: float) -> list[bmesh.types.BMVert]:
    """Add walls from the rim down to this height; returns the rim there."""
    feet = [work.verts.new((vertex.co.x, vertex.co.y, height)) for vertex in rim]
    for number, (a, foot) in enumerate(zip(rim, feet, strict=True)):
        after = (number + 1) % len(rim)
        work.faces.new((a, rim[after], feet[after]))
        work.faces.new((a, feet[after], foot))
    return feet
