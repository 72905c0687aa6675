"""More vertices where a mesh is coarser than the photos: long edges are split in the middle, without cracks."""

from __future__ import annotations

import numpy as np

from ..meshing.topology import Mesh, edges


def with_split_edges(mesh: Mesh, longest: np.ndarray, most_vertices: int) -> Mesh:
    """The mesh with each edge split that is longer than `longest` [V] (mean of its two ends), the longest first if that
    would make more than `most_vertices`; faces with split edges become two to four."""
    mesh_edges = edges(mesh.faces)
    a, b = mesh_edges.ends.T
    length = np.linalg.norm(mesh.vertices[a] - mesh.vertices[b], axis=1)
    excess = length / np.maximum((longest[a] + longest[b]) / 2, 1e-30)
    split = excess > 1
    room = max(0, most_vertices - len(mesh.vertices))
    if split.sum() > room:
        order = np.argsort(-excess, kind="stable")
        split = np.zeros(len(excess), bool)
        split[order[:room]] = True
    middle = np.where(split, len(mesh.vertices) + np.cumsum(split) - 1, -1)
    vertices = np.concatenate([mesh.vertices, (mesh.vertices[a] + mesh.vertices[b])[split] / 2])
    return Mesh(vertices, _divided(mesh.faces, middle[mesh_edges.of_faces]).astype(np.int32))


def _divided(faces: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Faces [M, 3] with a new vertex on some edges; middle [M, 3]: of the edge from each corner to the next, or -1."""
    number = (middle >= 0).sum(axis=1)
    parts = [faces[number == 0]]
    for corner in range(3):
        order = [corner, (corner + 1) % 3, (corner + 2) % 3]
        # One split edge: from this corner to the next.
        some = (number == 1) & (middle[:, corner] >= 0)
        (a, b, c), ab = faces[some][:, order].T, middle[some, corner]
        parts += [np.stack([a, ab, c], axis=1), np.stack([ab, b, c], axis=1)]
        # Two: both edges at this corner.
        some = (number == 2) & (middle[:, order[1]] < 0)
        (a, b, c), ab, ca = faces[some][:, order].T, middle[some, corner], middle[some, order[2]]
        parts += [np.stack([a, ab, ca], axis=1), np.stack([ab, b, c], axis=1), np.stack([ab, c, ca], axis=1)]
    some = number == 3
    (a, b, c), (ab, bc, ca) = faces[some].T, middle[some].T
    parts += [np.stack(corners, axis=1) for corners in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    return np.concatenate(parts)
