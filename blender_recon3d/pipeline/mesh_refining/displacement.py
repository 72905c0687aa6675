"""From the photos' agreement to a displacement of each vertex along its normal, smooth where there is no evidence.

A vertex's own displacement is where agreement is best; its weight depends on how good the agreement is there and how
sharply it falls off on both sides. Neighbors are tied to each other, less the more they disagree, so that a step in
the surface is preserved.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array, csr_array

from ..meshing.topology import Mesh, cross_products, edges

POOR, GOOD = 0.3, 0.8  # agreement with zero weight, and with full weight
SHARP = 0.05  # second difference of the agreement between steps with full weight
SWEEPS, SPREADING = 25, 10  # over the mesh; the first SPREADING fill in gaps
SMOOTHING = 3.6  # pixels: smoothing radius of displacements with full weight, about half a window
WEAK, STRONG = 0.3, 15.0  # limits of a tie
UNLIKE = 1.0  # steps: neighbors that differ by this much are tied half as strongly
STEEP = 0.2  # cosine between a face's normal before and after: a larger turn is undone


def best_steps(agreement: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The steps at which agreement [V, D] is best, interpolated, and their weights, 0..1: float32 [V].

    A maximum at either end has no weight: the agreement beyond may be better.
    """
    best = agreement.argmax(axis=1)
    middle = np.clip(best, 1, len(steps) - 2)
    rows = np.arange(len(agreement))
    before, here, after = (agreement[rows, middle + side] for side in (-1, 0, 1))
    bend = before - 2 * here + after
    inner = (best == middle) & (bend < -1e-6)
    share = np.where(inner, 0.5 * (before - after) / np.where(inner, bend, 1), 0)
    best_step = np.where(inner, steps[middle] + (steps[1] - steps[0]) * share, 0)
    weight = np.clip((here - POOR) / (GOOD - POOR), 0, 1) * np.clip(-bend / SHARP, 0, 1) * inner
    return best_step.astype(np.float32), weight.astype(np.float32)


def links(faces: np.ndarray, count: int) -> csr_array:
    """The mesh's edges in both directions, float32 ones [count, count]."""
    ends = edges(faces).ends
    rows, others = np.concatenate([ends, ends[:, ::-1]]).T
    return coo_array((np.ones(len(rows), np.float32), (rows, others)), (count, count)).tocsr()


def ties(vertices: np.ndarray, graph: csr_array, pixel: np.ndarray) -> np.ndarray:
    """float32 [V]: the weight of the neighbors' mean relative to a displacement with full weight.

    The closer the neighbors, the larger it is, so that smoothing reaches equally far in pixels on any mesh. pixel [V]:
    the width of one.
    """
    rows = np.repeat(np.arange(len(vertices)), np.diff(graph.indptr))
    length = np.linalg.norm(vertices[rows] - vertices[graph.indices], axis=1)
    mean = np.bincount(rows, length, len(vertices)) / np.maximum(np.diff(graph.indptr), 1)
    tie = (SMOOTHING * pixel / np.maximum(mean, 1e-30)) ** 2
    return np.clip(tie, WEAK, STRONG).astype(np.float32)


def smooth(
    target: np.ndarray, weights: np.ndarray, graph: csr_array, tie: np.ndarray, unlike: np.ndarray
) -> np.ndarray:
    """float32 [V]: displacements close to `target` [V] where it has weight, and close to their neighbors' elsewhere.

    Jacobi iterations on sum weights (x - target)^2 + sum tie_ij (x_i - x_j)^2, where `tie` [V] is weakened between
    unlike neighbors by the Cauchy function of the previous displacements. unlike [V]: the difference that halves it.
    """
    rows = np.repeat(np.arange(len(target)), np.diff(graph.indptr))
    others = graph.indices
    displacement = target * weights
    for sweep in range(SWEEPS):
        if sweep % 5 == 0:
            # Equal ties at first: vertices without evidence start at zero, which is not a step.
            strict = 0 if sweep < SPREADING else 1
            apart = strict * (displacement[rows] - displacement[others]) / np.maximum(unlike[rows], 1e-30)
            alike = (1 / (1 + apart**2)).astype(np.float32)
            tied = csr_array((alike, others, graph.indptr), shape=graph.shape)
            total = np.maximum(np.bincount(rows, alike, len(target)), 1e-9)
        mean = (tied @ displacement) / total
        displacement = (weights * target + tie * mean) / (weights + tie)
    return displacement.astype(np.float32)


def moved(mesh: Mesh, normals: np.ndarray, displacement: np.ndarray) -> Mesh:
    """The mesh with its vertices displaced [V] along normals [V, 3]; less or not at all where faces would fold over."""
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
