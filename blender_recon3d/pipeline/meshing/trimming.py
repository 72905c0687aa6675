"""Trims a Poisson surface to what the cloud supports, plus small holes; the bulge that closes the rest is removed.

Poisson's surface is always closed: below a statue it bulges until it meets itself. The distance of its vertices to the
cloud is measured; the surface is cut where they are too far from it, through the triangles, so that the rim is as
smooth as the distance. Small patches too far from the cloud are holes, which Poisson fills better than any method that
only knows their rim.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree

from .topology import Mesh, areas, compact, edges, face_components

BLOCK = 250_000  # points per block, which bounds the memory of a query
SMOOTHINGS = 20  # of the distance_to_cloud over the surface: the rim follows the outline, not single points
RIM_SMOOTHINGS = 20  # of the distance from the rim, after slivers are removed


def distance_to_cloud(mesh: Mesh, tree: cKDTree, spacing: np.ndarray) -> np.ndarray:
    """[N]: the distance of the vertices to the nearest point of the cloud, in units of the cloud's spacing there.

    spacing [M]: of the tree's points; values below the median are raised to it.
    """
    spacing = np.maximum(spacing, np.median(spacing))
    result = np.empty(len(mesh.vertices))
    for start in range(0, len(result), BLOCK):
        distance, index = tree.query(mesh.vertices[start : start + BLOCK], workers=-1)
        result[start : start + BLOCK] = distance / spacing[index]
    return result


def trimmed(mesh: Mesh, remote: np.ndarray, reach: float, hole: float, sliver: float) -> tuple[Mesh, int]:
    """The part of the mesh whose distance_to_cloud [N] is at most `reach`, cut along that line, and how many holes
    remain filled: patches beyond it of an area of at most `hole`, surrounded by remaining surface.

    Slivers of the rim narrower than twice `sliver` are removed as well.
    """
    graph = _graph(mesh)
    # Cap large distances, which would otherwise pull the rim back.
    over = _smoothed(graph, np.minimum(remote, 2 * reach), SMOOTHINGS) - reach
    far = (over[mesh.faces] > 0).any(axis=1)
    numbers = np.flatnonzero(far)
    part = face_components(mesh.faces[far])
    if not len(part):
        return mesh, 0
    small = np.bincount(part, areas(mesh)[far]) <= hole
    patches = small & ~_at_the_rim(mesh.faces, numbers, part)
    over[np.unique(mesh.faces[numbers[patches[part]]])] = -reach
    return _cut(mesh, _smoothed(graph, _opened(graph, over > 0, sliver), RIM_SMOOTHINGS)), int(patches.sum())


def _graph(mesh: Mesh) -> csr_array:
    """The mesh's edges, in both directions, with their lengths."""
    ends = edges(mesh.faces).ends
    length = np.linalg.norm(mesh.vertices[ends[:, 0]] - mesh.vertices[ends[:, 1]], axis=1)
    rows, others = np.concatenate([ends, ends[:, ::-1]]).T
    # A length of zero would mean no edge.
    lengths = np.maximum(np.concatenate([length, length]), 1e-12)
    return coo_array((lengths, (rows, others)), (len(mesh.vertices),) * 2).tocsr()


def _smoothed(graph: csr_array, values: np.ndarray, rounds: int) -> np.ndarray:
    """[N]: each value averaged with the mean of its neighbors, `rounds` times."""
    links = graph.copy()
    links.data = np.ones(len(links.data), np.float32)
    degree = np.maximum(np.diff(links.indptr), 1)
    for _ in range(rounds):
        values = 0.5 * values + 0.5 * (links @ values) / degree
    return values


def _opened(graph: csr_array, over: np.ndarray, radius: float) -> np.ndarray:
    """[N]: at most 0 where a vertex is within `radius`, along the surface, of one that is farther than that from all
    vertices `over`: morphological opening. The values are lengths."""
    if not over.any() or over.all():
        return np.where(over, radius, -radius)
    core = np.isinf(dijkstra(graph, indices=np.flatnonzero(over), min_only=True, limit=radius))
    # A part that is narrow everywhere is not a sliver of something else.
    inside = np.flatnonzero(~over)
    part = connected_components(graph[inside][:, inside], directed=False)[1]
    core[inside] |= (np.bincount(part, core[inside]) == 0)[part]
    back = dijkstra(graph, indices=np.flatnonzero(core), min_only=True, limit=2 * radius)
    return np.minimum(back, 2 * radius) - radius


def _at_the_rim(faces: np.ndarray, numbers: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Which parts of the faces `numbers` are on the mesh's boundary."""
    mesh_edges = edges(faces)
    open_faces = (mesh_edges.counts[mesh_edges.of_faces[numbers]] == 1).any(axis=1)
    return np.bincount(part, open_faces) > 0


def _cut(mesh: Mesh, over: np.ndarray) -> Mesh:
    """The part of the mesh with `over` <= 0, where `over` [N] is linear in each triangle."""
    inside = over <= 0
    count = inside[mesh.faces].sum(axis=1)
    whole = mesh.faces[count == 3]
    crossed = edges(mesh.faces[(count == 1) | (count == 2)])
    faces = mesh.faces[(count == 1) | (count == 2)]
    ends = crossed.ends
    a, b = over[ends[:, 0]], over[ends[:, 1]]
    split = inside[ends[:, 0]] != inside[ends[:, 1]]
    share = np.divide(a, a - b, out=np.zeros(len(a)), where=split)
    # Not right at an end: slivers have no normal and cause trouble later.
    share = np.clip(share, 0.05, 0.95)[:, None]
    points = (1 - share) * mesh.vertices[ends[:, 0]] + share * mesh.vertices[ends[:, 1]]
    number = np.where(split, len(mesh.vertices) + np.cumsum(split) - 1, -1)
    parts = [whole]
    for alone in (True, False):  # the corner that is alone on its side: inside, or outside
        for corner in range(3):
            order = [corner, (corner + 1) % 3, (corner + 2) % 3]
            mask = inside[faces[:, corner]] == alone
            mask &= (inside[faces[:, order[1]]] != alone) & (inside[faces[:, order[2]]] != alone)
            apex, second, third = faces[mask][:, order].T
            near, far = number[crossed.of_faces[mask][:, [corner, order[2]]]].T
            if alone:
                parts.append(np.stack([apex, near, far], axis=1))
            else:
                parts += [np.stack([near, second, third], axis=1), np.stack([near, third, far], axis=1)]
    return compact(np.concatenate([mesh.vertices, points[split]]), np.concatenate(parts))
