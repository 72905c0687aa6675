"""From the photos' agreement to a displacement of each vertex along its normal, smooth where there is no evidence.

A vertex's own displacement is where agreement is best; how much it counts goes by how good the agreement is there and
how sharply it falls off to both sides. Neighbors are tied to each other, less the more they disagree, so that a step
in the surface stays a step.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array, csr_array

from ..meshing.topology import Mesh, cross_products, edges

POOR, GOOD = 0.3, 0.8  # agreement that counts for nothing, and in full
SHARP = 0.05  # second difference of the agreement from step to step that counts in full
SWEEPS, SPREADING = 25, 10  # over the mesh, the first SPREADING of which fill in
SMOOTHING = 3.6  # pixels: how far displacements that count in full are smoothed, about half a window
WEAK, STRONG = 0.3, 15.0  # limits of a tie
UNLIKE = 1.0  # steps: neighbors that differ by so much are tied half as much
STEEP = 0.2  # cosine between a face's normal before and after: a larger turn is taken back


def best_steps(agreement: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where agreement [V, D] over steps [D] is best, between the steps too; how much that counts, 0..1: float32 [V].

    A best one at either end counts for nothing: what lies beyond may be better.
    """
    best = agreement.argmax(axis=1)
    middle = np.clip(best, 1, len(steps) - 2)
    rows = np.arange(len(agreement))
    before, here, after = (agreement[rows, middle + side] for side in (-1, 0, 1))
    bend = before - 2 * here + after
    inner = (best == middle) & (bend < -1e-6)
    share = np.where(inner, 0.5 * (before - after) / np.where(inner, bend, 1), 0)
    found = np.where(inner, steps[middle] + (steps[1] - steps[0]) * share, 0)
    counts = np.clip((here - POOR) / (GOOD - POOR), 0, 1) * np.clip(-bend / SHARP, 0, 1) * inner
    return found.astype(np.float32), counts.astype(np.float32)


def links(faces: np.ndarray, count: int) -> csr_array:
    """The mesh's edges both ways, float32 ones [count, count]."""
    ends = edges(faces).ends
    rows, others = np.concatenate([ends, ends[:, ::-1]]).T
    return coo_array((np.ones(len(rows), np.float32), (rows, others)), (count, count)).tocsr()


def ties(vertices: np.ndarray, graph: csr_array, pixel: np.ndarray) -> np.ndarray:
    """float32 [V]: the weight of the neighbors' mean against a displacement that counts in full.

    The closer neighbors lie, the stronger it is, so that smoothing reaches as far in pixels on any mesh. pixel [V]: the
    width of one.
    """
    rows = np.repeat(np.arange(len(vertices)), np.diff(graph.indptr))
    length = np.linalg.norm(vertices[rows] - vertices[graph.indices], axis=1)
    mean = np.bincount(rows, length, len(vertices)) / np.maximum(np.diff(graph.indptr), 1)
    tie = (SMOOTHING * pixel / np.maximum(mean, 1e-30)) ** 2
    return np.clip(tie, WEAK, STRONG).astype(np.float32)


def smooth(
    wanted: np.ndarray, counts: np.ndarray, graph: csr_array, tie: np.ndarray, unlike: np.ndarray
) -> np.ndarray:
    """float32 [V]: displacements near the wanted [V] ones where these count, and near their neighbors' elsewhere.

    Jacobi's iteration on sum counts (x - wanted)^2 + sum tie_ij (x_i - x_j)^2, where `tie` [V] is weakened between
    unlike neighbors by the Cauchy function of the displacements before. unlike [V]: the difference that halves it.
    """
    rows = np.repeat(np.arange(len(wanted)), np.diff(graph.indptr))
    others = graph.indices
    found = wanted * counts
    for sweep in range(SWEEPS):
        if sweep % 5 == 0:
            # Equal ties at first: vertices without evidence start at zero, which is not a step.
            strict = 0 if sweep < SPREADING else 1
            apart = strict * (found[rows] - found[others]) / np.maximum(unlike[rows], 1e-30)
            alike = (1 / (1 + apart**2)).astype(np.float32)
            tied = csr_array((alike, others, graph.indptr), shape=graph.shape)
            total = np.maximum(np.bincount(rows, alike, len(wanted)), 1e-9)
        mean = (tied @ found) / total
        found = (counts * wanted + tie * mean) / (counts + tie)
    return found.astype(np.float32)


def moved(mesh: Mesh, normals: np.ndarray, displacement: np.ndarray) -> Mesh:
    """The mesh with its vertices displaced [V] along normals [V, 3]; where that would fold faces over, less or not."""
    before = cross_products(mesh)
    displacement = displacement.astype(np.float64)
    for _ in range(3):
        vertices = mesh.vertices + normals * displacement[:, None]
        after = cross_products(Mesh(vertices, mesh.faces))
        length = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
        folded = np.einsum("ij,ij->i", before, after) < STEEP * length
        if not folded.any():
            break
        displacement[mesh.faces[folded].ravel()] *= 0.3
    else:
        displacement[mesh.faces[folded].ravel()] = 0
    return Mesh(mesh.vertices + normals * displacement[:, None], mesh.faces)
