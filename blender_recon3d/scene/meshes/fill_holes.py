"""Close the holes of a mesh."""

from __future__ import annotations

import bmesh
import bpy
from mathutils import Vector

from .mesh_object import triangles_of
from .open_edges import holes


def fill_holes(mesh: bpy.types.Mesh) -> int:
    """Close all holes of a triangle mesh with fans around their centers; returns the number of holes.

    Blender's own filling may reuse existing edges in large holes, and is then not manifold.
    """
    loops = holes(triangles_of(mesh)[1])
    work = bmesh.new()
    try:
        work.from_mesh(mesh)
        bmesh.ops.triangulate(work, faces=[face for face in work.faces if len(face.verts) > 3])
        vertices = list(work.verts)
        for loop in loops:
            rim = [vertices[number] for number in loop]
            middle = work.verts.new(sum((vertex.co for vertex in rim), Vector()) / len(rim))
            for a, b in zip(rim, [*rim[1:], rim[0]], strict=True):
                work.faces.new((a, b, middle))
        work.to_mesh(mesh)
    finally:
        work.free()
    return len(loops)
