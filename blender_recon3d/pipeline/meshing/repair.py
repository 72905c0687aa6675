"""Repairs a mesh: degenerate and duplicate faces, edges with more than two faces, vertices where sheets touch,
loose parts, small holes."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .topology import Mesh, areas, boundary, compact, edges, face_components, half_edges


def cleaned(mesh: Mesh) -> Mesh:
    """The mesh without degenerate and duplicate faces, and manifold: each edge has at most two faces, and the faces at
    a vertex form one fan."""
    faces = mesh.faces
    corners = np.sort(faces, axis=1)
    valid = (corners[:, 0] != corners[:, 1]) & (corners[:, 1] != corners[:, 2])
    size = float(np.ptp(mesh.vertices, axis=0).max()) if len(mesh.vertices) else 0.0
    valid &= areas(mesh) > (1e-9 * size) ** 2
    first = np.zeros(len(faces), bool)
    first[np.unique(corners, axis=0, return_index=True)[1]] = True
    return _split_vertices(compact(mesh.vertices, _two_a_side(mesh, np.flatnonzero(valid & first))))


def _two_a_side(mesh: Mesh, keep: np.ndarray) -> np.ndarray:
    """The faces `keep` without those, smallest first, that give an edge a third face or a second one in the same
    direction."""
    faces, size = mesh.faces[keep], areas(mesh)[keep]
    directed = half_edges(faces).astype(np.int64)
    keys = directed[:, 0] << 32 | directed[:, 1]
    owner = np.repeat(np.arange(len(faces)), 3)
    order = np.lexsort((-size[owner], keys))
    double = np.zeros(len(keys), bool)
    double[order[1:]] = keys[order][1:] == keys[order][:-1]
    bad = np.zeros(len(faces), bool)
    bad[owner[double]] = True
    return faces[~bad]


def _split_vertices(mesh: Mesh) -> Mesh:
    """A vertex whose faces form several fans that touch only there becomes one vertex per fan."""
    faces = mesh.faces
    if not len(faces):
        return mesh
    # Corners belong to the same vertex if their faces share an edge that ends there.
    mesh_edges = edges(faces)
    corner = np.arange(3 * len(faces)).reshape(-1, 3)
    following = np.roll(corner, -1, axis=1)
    order = np.argsort(mesh_edges.of_faces.ravel(), kind="stable")
    sorted_edges = mesh_edges.of_faces.ravel()[order]
    first = np.flatnonzero(sorted_edges[1:] == sorted_edges[:-1])
    a, b = order[first], order[first + 1]
    begin, end = corner.ravel(), following.ravel()
    # Adjacent faces traverse their edge in opposite directions, so one's begin is the other's end.
    pairs = np.concatenate([np.stack([begin[a], end[b]]), np.stack([end[a], begin[b]])], axis=1)
    ones = np.ones(pairs.shape[1], np.int8)
    graph = coo_array((ones, (pairs[0], pairs[1])), (3 * len(faces),) * 2)
    count, fan = connected_components(graph, directed=False)
    if count == len(mesh.vertices):
        return mesh
    vertices = np.empty((count, 3))
    vertices[fan] = mesh.vertices[faces.ravel()]
    return Mesh(vertices, fan.reshape(-1, 3).astype(np.int32))


def without_loose_parts(mesh: Mesh, share: float) -> tuple[Mesh, int]:
    """The mesh without the parts whose area is less than `share` of the largest part's, and their number."""
    part = face_components(mesh.faces)
    if not len(part):
        return mesh, 0
    total = np.bincount(part, areas(mesh))
    keep = total >= share * total.max()
    return mesh.select(keep[part]), int((~keep).sum())


def filled_holes(mesh: Mesh, longest: float) -> tuple[Mesh, int]:
    """The mesh with holes closed whose rim is at most `longest`, by a fan around the rim's center; their number."""
    new_vertices: list[np.ndarray] = []
    new_faces: list[np.ndarray] = []
    for loop in rim_loops(boundary(mesh.faces)):
        rim = mesh.vertices[loop]
        if np.linalg.norm(rim - np.roll(rim, -1, axis=0), axis=1).sum() > longest:
            continue
        following = np.roll(loop, -1)
        if len(loop) == 3:
            new_faces.append(loop[None, ::-1])
            continue
        middle = np.full(len(loop), len(mesh.vertices) + len(new_vertices))
        new_vertices.append(rim.mean(axis=0))
        new_faces.append(np.stack([following, loop, middle], axis=1))  # against the rim's own direction
    if not new_faces:
        return mesh, 0
    vertices = np.concatenate([mesh.vertices, np.reshape(new_vertices, (-1, 3))])
    return Mesh(vertices, np.concatenate([mesh.faces, *new_faces]).astype(np.int32)), len(new_faces)


def rim_loops(rim: np.ndarray) -> list[np.ndarray]:
    """The closed chains of half edges [B, 2] of a manifold mesh's boundary, as ordered vertices."""
    following = dict(rim.tolist())
    loops = []
    while following:
        start, vertex = following.popitem()
        loop = [start]
        while vertex != start:
            loop.append(vertex)
            vertex = following.pop(vertex)
        loops.append(np.array(loop))
    return loops
