"""Triangle meshes and their topology, as plain arrays.

Edges are identified by their two vertices; an edge with one face is on the boundary, one with more than two is
non-manifold. A mesh without either is closed, and watertight if neighboring faces are also consistently oriented.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True)
class Mesh:
    """vertices float64 [N, 3] in the model's frame, faces int32 [M, 3], counterclockwise seen from outside."""

    vertices: np.ndarray
    faces: np.ndarray

    def select(self, keep: np.ndarray) -> Mesh:
        """The faces selected by a mask or indices, and the vertices they use."""
        return compact(self.vertices, self.faces[keep])


def compact(vertices: np.ndarray, faces: np.ndarray) -> Mesh:
    """A mesh without unused vertices."""
    used = np.zeros(len(vertices), bool)
    used[faces] = True
    number = np.cumsum(used, dtype=np.int32) - 1
    return Mesh(vertices[used], number[faces].astype(np.int32))


def cross_products(mesh: Mesh) -> np.ndarray:
    """[M, 3]: normals of the faces, with twice their areas as length."""
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    return np.cross(b - a, c - a)


def areas(mesh: Mesh) -> np.ndarray:
    """[M], in squared units of the model."""
    return 0.5 * np.linalg.norm(cross_products(mesh), axis=1)


def vertex_normals(mesh: Mesh) -> np.ndarray:
    """Unit normals [N, 3], area-weighted means of the faces' normals; (0, 0, 1) where these cancel."""
    cross = cross_products(mesh)
    normals = np.zeros_like(mesh.vertices)
    for axis in range(3):
        for corner in range(3):
            normals[:, axis] += np.bincount(mesh.faces[:, corner], cross[:, axis], len(normals))
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.where(length > 0, normals / np.where(length > 0, length, 1), [0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Edges:
    """Each edge once: its ends int32 [E, 2] (the smaller first), its number of faces [E], and for each face and corner
    k the index of the edge from corner k to the next [M, 3]."""

    ends: np.ndarray
    counts: np.ndarray
    of_faces: np.ndarray


def edges(faces: np.ndarray) -> Edges:
    directed = np.sort(half_edges(faces), axis=1).astype(np.int64)
    keys = directed[:, 0] << 32 | directed[:, 1]
    unique, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    ends = np.stack([unique >> 32, unique & 0xFFFFFFFF], axis=1).astype(np.int32)
    return Edges(ends, counts, inverse.reshape(len(faces), 3))


def half_edges(faces: np.ndarray) -> np.ndarray:
    """[3 M, 2]: each face's three edges in its own direction."""
    return np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).reshape(-1, 2)


def boundary(faces: np.ndarray) -> np.ndarray:
    """int32 [B, 2]: the half edges that have one face."""
    mesh_edges = edges(faces)
    return half_edges(faces)[(mesh_edges.counts[mesh_edges.of_faces] == 1).ravel()]


def face_components(faces: np.ndarray) -> np.ndarray:
    """int [M]: the index of each face's connected part; parts are connected by edges."""
    if not len(faces):
        return np.empty(0, np.int64)
    mesh_edges = edges(faces)
    face = np.repeat(np.arange(len(faces)), 3)
    edge = mesh_edges.of_faces.ravel() + len(faces)
    ones = np.ones(len(face), np.int8)
    size = len(faces) + len(mesh_edges.ends)
    graph = coo_array((ones, (face, edge)), (size, size))
    return connected_components(graph, directed=False)[1][: len(faces)]


def is_watertight(mesh: Mesh) -> bool:
    """Whether each edge has exactly two faces, which traverse it in opposite directions."""
    if not len(mesh.faces):
        return False
    directed = half_edges(mesh.faces).astype(np.int64)
    forward = np.sort(directed[:, 0] << 32 | directed[:, 1])
    backward = np.sort(directed[:, 1] << 32 | directed[:, 0])
    return bool((np.diff(forward) > 0).all() and np.array_equal(forward, backward))


def volume(mesh: Mesh) -> float:
    """The signed volume enclosed by a closed mesh: positive if its faces point outward."""
    return float(np.einsum("ij,ij->", mesh.vertices[mesh.faces[:, 0]], cross_products(mesh)) / 6)
