"""A mesh moved in rounds, from coarse to fine, to where the photos agree on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import UserError
from ..events import Progress
from ..meshing.topology import Mesh, vertex_normals
from .agreement import Search, agreement
from .displacement import UNLIKE, best_steps, links, moved, smooth
from .gray_views import GrayView, gray_views
from .subdivision import with_split_edges
from .surface_views import surface_views

# The reach of a round in pixels is offsets * step / scale; each is about half of the one before.
ROUNDS = (
    Search(scale=0.5, radius=3, offsets=3, step=0.5),
    Search(scale=1.0, radius=3, offsets=3, step=0.5),
    Search(scale=1.0, radius=2, offsets=2, step=0.5),
    Search(scale=1.0, radius=2, offsets=2, step=0.35),
)
SPLIT_BEFORE = 2  # the round before which long edges are split
LONGEST = 3.0  # pixels of an edge, where photos show it
PHOTOS = 5  # that a vertex is judged by
PHOTOS_SHARE = 0.25  # of the memory allowed, for the photos
VERTICES_PER_GB = 400_000


def refine_mesh(
    mesh: Mesh, dense: Path, memory_gb: float, device: torch.device, progress: Progress
) -> tuple[Mesh, dict[str, Any]]:
    """Refine a mesh in the model's frame by the undistorted photos of a dense workspace.

    Also returned, for each round: the share of vertices with evidence, how well the photos agree there before it, and
    how far vertices move, in pixels (medians).

    memory_gb: what may be used, about. UserError when photos are missing; Cancelled.
    """
    views = gray_views(dense, PHOTOS_SHARE * memory_gb * 2**30, progress)
    if len(views) < 2:
        raise UserError(f"{dense} has fewer than two photos to refine the mesh by: use --no-mesh-refinement.")
    rounds = []
    for number, search in enumerate(ROUNDS):
        split_to = int(VERTICES_PER_GB * memory_gb) if number == SPLIT_BEFORE else 0

        def tell(done: int, total: int, number: int = number) -> None:
            progress.update(number * total + done, len(ROUNDS) * total, "refining by the photos")

        mesh, facts = refined_once(mesh, views, search, split_to, device, tell, progress)
        rounds.append(facts)
    return mesh, {"photos": len(views), "vertices": len(mesh.vertices), "rounds": rounds}


def refined_once(
    mesh: Mesh,
    views: list[GrayView],
    search: Search,
    split_to: int,
    device: torch.device,
    tell: Callable[[int, int], None],
    progress: Progress,
) -> tuple[Mesh, dict[str, float]]:
    """One round. split_to: split long edges first, to at most so many vertices; 0: split none."""
    normals = vertex_normals(mesh)
    seen = surface_views(views, mesh.vertices, normals, mesh.faces, PHOTOS, progress)
    if split_to:
        shown = seen.chosen[:, 1] >= 0
        longest = np.where(shown, LONGEST * seen.pixel, np.inf)
        split = with_split_edges(mesh, longest, split_to)
        if len(split.vertices) > len(mesh.vertices):
            mesh, normals = split, vertex_normals(split)
            seen = surface_views(views, mesh.vertices, normals, mesh.faces, PHOTOS, progress)
    found = agreement(views, seen, mesh.vertices, normals, search, device, tell)
    steps, counts = best_steps(found, search.steps)
    step = seen.pixel * (search.step / search.scale)
    displacement = smooth(steps * step, counts, links(mesh.faces, len(normals)), UNLIKE * step)
    progress.check()
    judged = counts > 0
    facts = {
        "judged": round(float(judged.mean()), 4),
        "agreement": round(float(np.median(found[judged, search.offsets])), 4) if judged.any() else 0.0,
        "move": round(float(np.median(np.abs(displacement / seen.pixel))), 4),
    }
    return moved(mesh, normals, displacement), facts
