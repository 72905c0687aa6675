"""Compares a mesh with a densely sampled surface: as `cloud_metrics`, with samples of the mesh.

A mesh is a surface too: completeness is measured to the surface that its samples represent, not to the samples, so
that it does not depend on their number. A hole remains a hole.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..meshing.topology import Mesh, areas, cross_products
from .cloud_metrics import Surface, scored, within

SAMPLES = 500_000
MARGIN = 1.1  # times the ball's radius: the sampled region, so that nothing is lost at the ball's edge


def sampled(mesh: Mesh, center: np.ndarray | None, radius: float | None, count: int = SAMPLES) -> Surface:
    """Points sampled uniformly by area (seed 0) from the faces around the ball of interest, with their normals."""
    middle = mesh.vertices[mesh.faces].mean(axis=1)
    near = mesh.select(within(middle, center, None if radius is None else MARGIN * radius))
    size = areas(near)
    random = np.random.default_rng(0)
    face = random.choice(len(size), count, p=size / size.sum()) if size.sum() > 0 else np.empty(0, np.int64)
    a, b = np.sqrt(random.random(len(face))), random.random(len(face))
    weights = np.stack([1 - a, a * (1 - b), a * b], axis=1)
    points = np.einsum("nc,nck->nk", weights, near.vertices[near.faces[face]])
    return Surface.build(points, cross_products(near)[face] / np.maximum(2 * size[face, None], 1e-300))


def mesh_metrics(
    mesh: Surface,
    surface: Surface,
    distances: list[float],
    center: np.ndarray | None = None,
    radius: float | None = None,
) -> dict[str, Any]:
    """Accuracy, completeness and scores, as `cloud_metrics`, of a sampled mesh in the surface's frame."""
    inner_mesh = mesh.points[within(mesh.points, center, radius)]
    inner_surface = surface.points[within(surface.points, center, radius)]
    to_mesh = mesh.nearest(inner_surface)[0] if len(mesh.points) else np.full(len(inner_surface), np.inf)
    return scored(surface.nearest(inner_mesh)[0], to_mesh, distances)
