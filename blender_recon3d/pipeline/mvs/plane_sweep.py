"""The simple method: compare the photos at each of a series of depths and keep the best (Collins, 1996)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .cost import MatchingCost, above, choose
from .planes import fit_planes, normals

WORST_COST = 0.6  # of a depth that is kept
NEVER = 9.0  # a cost that no hypothesis has


def sweep(cost: MatchingCost, around: Tensor | float, steps: Sequence[float]) -> tuple[Tensor, Tensor]:
    """The best inverse depth and its cost, each [H, W], of `around` plus each of `steps`, evenly spaced.

    Steps of inverse depth are steps along the other photos' epipolar lines; a parabola through the best and its two
    neighbors interpolates the result.
    """
    shape = (cost.height, cost.width)
    w, costs = (torch.empty(shape, device=cost.device) for _ in range(2))
    spacing = steps[1] - steps[0]
    for strip in cost.strips():
        rows = (strip.padded.stop - strip.padded.start, cost.width)
        base = (
            around[strip.padded]
            if isinstance(around, Tensor)
            else torch.full(rows, around, device=cost.device)
        )
        own = (strip.rows.stop - strip.rows.start, cost.width)
        best, before, after, previous = (torch.full(own, NEVER, device=cost.device) for _ in range(4))
        chosen, just_chosen = (torch.zeros(own, device=cost.device) for _ in range(2))
        for step in steps:
            now = cost.of_strip(base + step, strip)
            after = choose(just_chosen, now, after)
            just_chosen = above(best, now)
            before = choose(just_chosen, previous, before)
            chosen = choose(just_chosen, torch.full_like(now, step), chosen)
            best = torch.minimum(best, now)
            previous = now
        after = choose(just_chosen, torch.full_like(after, NEVER), after)  # the last step has no successor
        offset = parabola_offset(before, best, after)
        first = strip.rows.start - strip.padded.start
        w[strip.rows] = chosen.add_(offset, alpha=spacing).add_(base[first : first + own[0]])
        costs[strip.rows] = best
    return w, costs


def parabola_offset(before: Tensor, best: Tensor, after: Tensor) -> Tensor:
    """The minimum of a parabola through three costs, in steps from the middle: -.5 to .5; 0 if there are not three."""
    curvature = (before - 2 * best).add_(after)
    offset = (before - after).mul_(0.5).div_(curvature.clamp_min(1e-6)).clamp_(-0.5, 0.5)
    three = above(torch.full_like(best, NEVER / 2), torch.maximum(before, after))
    return offset.mul_(three).mul_(above(curvature, 1e-6))


def depth_steps(near: float, far: float, depths: int) -> list[float]:
    """Inverse depths from the farthest to the nearest, evenly spaced."""
    return torch.linspace(1 / far, 1 / near, depths).tolist()


def plane_sweep(
    cost: MatchingCost, intrinsics: Tensor, near: float, far: float, depths: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Depth [H, W] (0: none), normals [H, W, 3] and cost [H, W] of one photo; see `depth_map`."""
    w, best = sweep(cost, 0.0, depth_steps(near, far, depths))
    w, slant_x, slant_y = fit_planes(w, None, best, sigma=0.02)
    normal = normals(w, slant_x, slant_y, intrinsics)
    return depth_map(w, slant_x, slant_y, best, near, far), normal, best


def depth_map(w: Tensor, slant_x: Tensor, slant_y: Tensor, cost: Tensor, near: float, far: float) -> Tensor:
    """Depth [H, W], 0 where it is uncertain: at the upper left corner of each pixel, as COLMAP's fusion assumes (it
    unprojects (column, row), whereas cameras have the pixel's center at .5).

    Half a pixel matters: otherwise each photo's cloud is shifted by that much, and photos rotated relative to each
    other disagree by up to a pixel.
    """
    sure = (cost < WORST_COST) & (w > 0.95 / far) & (w < 1.05 / near)
    corner = w - 0.5 * (slant_x + slant_y)
    return torch.where(sure & (corner > 0.5 / far), 1 / corner.clamp_min(1e-12), 0.0)
