"""Fill single holes of a mesh with a surface that continues its surroundings, and has room in the texture.

A hole is closed by rings of vertices from its rim to its middle, which is always manifold, with edges about as long as
the rim's. Its vertices are moved to where the surface bends evenly: the bi-Laplacian is zero, with two rings of
vertices around the hole fixed (Botsch and Kobbelt 2004). Blender's own filling can take edges that exist elsewhere, and
is then not manifold.
"""

from __future__ import annotations

from itertools import pairwise

import bmesh
import bpy
import numpy as np
from mathutils import Vector

from ...pipeline.errors import UserError
from ...pipeline.text import Said
from ..find_imports import check_editable
from ..modes import object_mode
from ..stepwise import Steps, run
from ..unfinished import unfinished
from ..world_matrices import world_matrix
from .free_uv_space import put_into_free_space, triangle_areas
from .mesh_object import triangles_of
from .open_edges import holes
from .surfaces import surface_of

MAX_VERTICES = 1200  # inside a patch, about: the equations are solved densely


def fill_holes(collection: bpy.types.Collection, sides: int = 0, points: np.ndarray | None = None) -> str:
    """Fill holes of the active mesh of an import, or else of its visible one; returns a message.

    sides: only holes with at most that many edges; 0: any. points [n, 3]: in the world; only the holes whose rims are
    nearest to them. In Edit Mode only holes with a selected vertex, if there are some. UserError if there is no such
    hole.
    """
    return run(fill_in_steps(collection, sides, points))


def fill_in_steps(
    collection: bpy.types.Collection, sides: int = 0, points: np.ndarray | None = None
) -> Steps[str]:
    """`fill_holes`, in steps."""
    obj = surface_of(collection)
    check_editable(obj, obj.data)
    editing = obj.mode == "EDIT"
    with object_mode():
        xyz, faces = triangles_of(obj.data)
        loops = holes(faces)
        if not loops:
            raise UserError(f"{obj.name} has no holes.")
        loops = _chosen(obj, xyz, loops, sides, points, editing)
        mesh = obj.data.copy()
        with unfinished(mesh):
            added = yield from _filled(mesh, loops)
        old, name = obj.data, obj.data.name
        old.user_remap(mesh)
        bpy.data.meshes.remove(old)
        mesh.name = name
    return Said(
        "Filled {holes} holes of {mesh} with {faces} faces: Reproject Photos paints them.",
        holes=f"{len(loops):,}",
        mesh=obj.name,
        faces=f"{added:,}",
    )


def _chosen(
    obj: bpy.types.Object,
    xyz: np.ndarray,
    loops: list[list[int]],
    sides: int,
    points: np.ndarray | None,
    editing: bool,
) -> list[list[int]]:
    """The holes to fill; UserError if there is none."""
    if points is not None and len(points):
        local = np.array(world_matrix(obj).inverted_safe())
        places = np.asarray(points, float).reshape(-1, 3) @ local[:3, :3].T + local[:3, 3]
        nearest = {
            min(range(len(loops)), key=lambda n: float(((xyz[loops[n]] - place) ** 2).sum(axis=1).min()))
            for place in places
        }
        return [loops[number] for number in sorted(nearest)]
    selected = np.zeros(len(xyz), bool)
    obj.data.vertices.foreach_get("select", selected)
    if editing and selected.any():
        loops = [loop for loop in loops if selected[loop].any()]
        if not loops:
            raise UserError("No vertex at the rim of a hole is selected: select one, or leave Edit Mode.")
        return loops
    small = [loop for loop in loops if not sides or len(loop) <= sides]
    if not small:
        fewest = min(len(loop) for loop in loops)
        raise UserError(
            f"{obj.name} has no hole with at most {sides} edges: its smallest one has {fewest}. Raise Max Edges."
        )
    return small


def _filled(mesh: bpy.types.Mesh, loops: list[list[int]]) -> Steps[int]:
    """Fill the holes with these rims; returns the number of new faces."""
    xyz, faces = triangles_of(mesh)
    surface = float(triangle_areas(xyz[faces]).sum())
    yield None
    corners = {layer.name: _uv_corners(mesh, layer) for layer in mesh.uv_layers}
    work = bmesh.new()
    try:
        work.from_mesh(mesh)
        work.verts.ensure_lookup_table()
        rims = [[work.verts[number] for number in loop] for loop in loops]
        patches = []
        for rim in rims:
            yield None
            patches.append(_patch(work, rim))
        for name, uv in corners.items():
            yield from put_into_free_space(work.loops.layers.uv[name], patches, uv, surface)
        work.normal_update()
        count = sum(len(faces) for faces in patches)
        work.to_mesh(mesh)
        mesh.update()
    finally:
        work.free()
    return count


def _uv_corners(mesh: bpy.types.Mesh, layer: bpy.types.MeshUVLoopLayer) -> np.ndarray:
    """UVs of the mesh's triangles, [n, 3, 2]."""
    uv = np.empty(2 * len(mesh.loops), np.float32)
    layer.uv.foreach_get("vector", uv)
    loops = np.empty(3 * len(mesh.loop_triangles), np.int32)
    mesh.loop_triangles.foreach_get("loops", loops)
    return uv.reshape(-1, 2)[loops].reshape(-1, 3, 2).astype(np.float64)


def _patch(work: bmesh.types.BMesh, rim: list[bmesh.types.BMVert]) -> list[bmesh.types.BMFace]:
    """Close one hole; returns the new faces."""
    around = next(edge for edge in rim[0].link_edges if edge.is_boundary).link_faces[0]
    colors = [layer for kind in (work.verts.layers.color, work.verts.layers.float_color) for layer in kind]
    shades = [
        sum((Vector(vertex[layer]) for vertex in rim), Vector((0, 0, 0, 0))) / len(rim) for layer in colors
    ]
    middle = sum((vertex.co for vertex in rim), Vector()) / len(rim)
    rings = ring_sizes(len(rim))
    inner = []
    for number, size in enumerate(rings[1:], 1):
        share = number / (len(rings) - 1)
        for step in range(size):
            vertex = work.verts.new(rim[step * len(rim) // size].co.lerp(middle, share))
            for layer, shade in zip(colors, shades, strict=True):
                vertex[layer] = shade
            inner.append(vertex)
    every = [*rim, *inner]
    faces = []
    for corners in ring_faces(rings):
        face = work.faces.new([every[corner] for corner in corners])
        face.smooth, face.material_index = around.smooth, around.material_index
        faces.append(face)
    _bend(inner, rim)
    for face in faces:
        face.normal_update()
    return faces


def ring_sizes(edges: int) -> list[int]:
    """Vertices of the rings from the rim to the middle, which is a single one."""
    count = max(1, min(round(edges / 6.3), 2 * MAX_VERTICES // edges))
    return [edges, *(max(3, round(edges * (1 - number / count))) for number in range(1, count)), 1]


def ring_faces(sizes: list[int]) -> list[tuple[int, int, int]]:
    """Triangles between rings of these numbers of vertices, which are numbered one ring after the other."""
    faces, start = [], 0
    for outer, inside in pairwise(sizes):
        inner, a, b = start + outer, 0, 0
        while a < outer or (b < inside and inside > 1):
            # The ring that is behind on its way around takes the next step.
            if inside == 1 or (a < outer and (a + 0.5) / outer <= (b + 0.5) / inside):
                faces.append((start + a % outer, start + (a + 1) % outer, inner + b % inside))
                a += 1
            else:
                faces.append((start + a % outer, inner + (b + 1) % inside, inner + b % inside))
                b += 1
        start = inner
    return faces


def _bend(inner: list[bmesh.types.BMVert], rim: list[bmesh.types.BMVert]) -> None:
    """Move the inner vertices to where the surface bends evenly."""
    own = [*inner, *rim]
    known = set(own)
    beyond = list({edge.other_vert(vertex) for vertex in rim for edge in vertex.link_edges} - known)
    every = [*own, *beyond]
    place = {vertex: number for number, vertex in enumerate(every)}
    matrix = np.zeros((len(own), len(every)), np.float32)
    for row, vertex in enumerate(own):
        near = [place[edge.other_vert(vertex)] for edge in vertex.link_edges]
        matrix[row, row] = 1.0
        matrix[row, near] -= 1.0 / len(near)
    twice = (matrix[: len(inner), : len(own)] @ matrix).astype(np.float64)
    xyz = np.array([tuple(vertex.co) for vertex in every])
    right = -twice[:, len(inner) :] @ xyz[len(inner) :]
    for vertex, co in zip(inner, np.linalg.solve(twice[:, : len(inner)], right).tolist(), strict=True):
        vertex.co = co
