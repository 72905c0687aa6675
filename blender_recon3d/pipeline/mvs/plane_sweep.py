"""The plain method: compare the photos at every one of a row of depths and keep the best (Collins, 1996)."""

from __future__ import annotations

import torch
from torch import Tensor

from .cost import MatchingCost
from .planes import fit_planes, normals

WORST_COST = 0.6  # of a depth that is kept


def sweep(cost: MatchingCost, near: float, far: float, depths: int) -> tuple[Tensor, Tensor]:
    """The best inverse depth and its cost, each [H, W].

    The hypotheses lie evenly in inverse depth, that is, evenly along the other photos' epipolar lines; a
    parabola through the best and its two neighbours places the result between them.
    """
    hypotheses = torch.linspace(1 / far, 1 / near, depths).tolist()
    spacing = hypotheses[1] - hypotheses[0]
    shape = (cost.height, cost.width)
    best = torch.full(shape, 9.0, device=cost.device)
    before, after = best.clone(), best.clone()
    chosen = torch.zeros(shape, device=cost.device)
    previous = best.clone()
    just_chosen = torch.zeros(shape, dtype=torch.bool, device=cost.device)
    for w in hypotheses:
        now = cost(torch.full(shape, w, device=cost.device))
        after = torch.where(just_chosen, now, after)
        just_chosen = now < best
        before = torch.where(just_chosen, previous, before)
        chosen = torch.where(just_chosen, w, chosen)
        best = torch.where(just_chosen, now, best)
        previous = now
    after = torch.where(just_chosen, best, after)  # the last hypothesis has none after it
    return chosen + spacing * parabola_offset(before, best, after), best


def parabola_offset(before: Tensor, best: Tensor, after: Tensor) -> Tensor:
    """Where the lowest point of a parabola through three costs lies, in steps from the middle: -.5 to .5."""
    curvature = before - 2 * best + after
    offset = 0.5 * (before - after) / curvature.clamp_min(1e-6)
    sensible = (curvature > 1e-6) & (before < 3) & (after < 3)
    return torch.where(sensible, offset.clamp(-0.5, 0.5), 0.0)


def plane_sweep(
    cost: MatchingCost, intrinsics: Tensor, near: float, far: float, depths: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Depth [H, W] (0: none), normals [H, W, 3] and cost [H, W] of one photo."""
    inverse_depth, best = sweep(cost, near, far, depths)
    inverse_depth, slant_x, slant_y = fit_planes(inverse_depth, best, sigma=0.02)
    normal = normals(inverse_depth, slant_x, slant_y, intrinsics)
    sure = (best < WORST_COST) & (inverse_depth > 1 / far / 1.05) & (inverse_depth < 1.05 / near)
    return torch.where(sure, 1 / inverse_depth.clamp_min(1e-12), 0.0), normal, best
