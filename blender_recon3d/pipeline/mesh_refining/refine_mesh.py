"""Moves a mesh in rounds, from coarse to fine, to where the photos agree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import UserError
from ..events import Progress
from ..meshing.topology import Mesh, vertex_normals
from ..wording import Sentence, use
from .agreement import Search, agreement
from .displacement import UNLIKE, best_steps, links, moved, smooth, ties
from .gray_views import GrayView, gray_views
from .subdivision import with_split_edges
from .surface_views import SurfaceViews, surface_views

# The reach of a round in pixels is offsets * step / scale; each is about half of the previous one.
# Before each pair of rounds the mesh is rendered again, and before the second its long edges are split.
PASSES = (
    (
        Search(scale=0.5, radius=3, offsets=3, step=0.5, share=0.25),
        Search(scale=1.0, radius=3, offsets=3, step=0.5, share=0.5),
    ),
    (
        Search(scale=1.0, radius=2, offsets=2, step=0.5),
        Search(scale=1.0, radius=2, offsets=2, step=0.35),
    ),
)
ROUNDS = sum(len(searches) for searches in PASSES)
LONGEST = 3.0  # pixels of an edge, where visible in photos
PHOTOS = 5  # per vertex
PHOTOS_SHARE = 0.25  # of the memory limit, for the photos
VERTICES_PER_GB = 400_000


def refine_mesh(
    mesh: Mesh, dense: Path, memory_gb: float, device: torch.device, progress: Progress
) -> tuple[Mesh, dict[str, Any]]:
    """Refine a mesh in the model's frame by the undistorted photos of a dense workspace.

    Also returns, for each round: the share of vertices with evidence, how well the photos agree there before the round,
    and how far vertices move, in pixels (medians).

    memory_gb: approximate limit. UserError when photos are missing; Cancelled.
    """
    views = gray_views(dense, PHOTOS_SHARE * memory_gb * 2**30, progress)
    if len(views) < 2:
        raise UserError(
            Sentence(
                f"{dense} has fewer than two photos to refine the mesh by: ",
                use("mesh_refinement", "off"),
                ".",
            )
        )
    rounds: list[dict[str, float]] = []

    def tell(done: int, total: int) -> None:
        progress.update(len(rounds) * total + done, ROUNDS * total, "refining by the photos")

    seen: SurfaceViews | None = None
    for searches in PASSES:
        if seen is not None:
            mesh = split_where_shown(mesh, seen, int(VERTICES_PER_GB * memory_gb))
        normals = vertex_normals(mesh)
        seen = surface_views(views, mesh.vertices, normals, mesh.faces, PHOTOS, progress)
        for search in searches:
            mesh, facts = refined_once(mesh, views, seen, search, device, tell)
            rounds.append(facts)
    return mesh, {"photos": len(views), "vertices": len(mesh.vertices), "rounds": rounds}


def split_where_shown(mesh: Mesh, seen: SurfaceViews, max_vertices: int) -> Mesh:
    """The mesh with edges split that are longer than LONGEST pixels in the photos that show them."""
    shown = seen.chosen[:, 1] >= 0
    return with_split_edges(mesh, np.where(shown, LONGEST * seen.pixel, np.inf), max_vertices)


def refined_once(
    mesh: Mesh,
    views: list[GrayView],
    seen: SurfaceViews,
    search: Search,
    device: torch.device,
    tell: Callable[[int, int], None],
) -> tuple[Mesh, dict[str, float]]:
    """One round. seen: of this mesh, or of the same mesh before a small move."""
    normals = vertex_normals(mesh)
    scores = agreement(views, seen, mesh.vertices, normals, search, device, tell)
    steps, weights = best_steps(scores, search.steps)
    step = seen.pixel * (search.step / search.scale)
    graph = links(mesh.faces, len(normals))
    tie = ties(mesh.vertices, graph, seen.pixel)
    displacement = smooth(steps * step, weights, graph, tie, UNLIKE * step)
    used = weights > 0
    facts = {
        "judged": round(float(used.mean()), 4),
        "agreement": round(float(np.median(scores[used, search.offsets])), 4) if used.any() else 0.0,
        "move": round(float(np.median(np.abs(displacement / seen.pixel))), 4),
    }
    return moved(mesh, normals, displacement), facts
