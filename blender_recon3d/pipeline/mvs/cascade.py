"""Depth from coarse to fine, with windows that follow the surface.

At a quarter of the size all depths are tried with fronto-parallel windows, and the planes through the sparse points.
From then on every pixel has a plane: planes are fitted to their surroundings, propagated to neighbors, and moved by
fractions of a pixel of parallax, at a quarter, half and full size. Each step keeps the plane with the lower cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .cost import MatchingCost, above, choose
from .plane_sweep import depth_map, depth_steps, sweep
from .planes import fit_planes, normals
from .sparse_planes import sparse_planes

FULL_RADIUS = 3  # of the windows at full size, pixels
GAIN = 0.01  # a propagated plane must be better by this much, or noise would move planes around
COARSE_DEPTHS = (48, 160)  # minimum and maximum number of depths tried at a quarter of the size
SPARSE_STEPS = (-2, -1, 0, 1, 2)  # pixels of parallax around the planes of sparse points


@dataclass
class Planes:
    """One plane per pixel in inverse depth, w + slant_x dx + slant_y dy, and its matching cost; each [H, W]."""

    w: Tensor
    slant_x: Tensor
    slant_y: Tensor
    cost: Tensor

    def take(self, better: Tensor, w: Tensor, slant_x: Tensor, slant_y: Tensor, cost: Tensor) -> None:
        """Replace the planes where `better` is 1."""
        self.w = choose(better, w, self.w)
        self.slant_x = choose(better, slant_x, self.slant_x)
        self.slant_y = choose(better, slant_y, self.slant_y)
        self.cost = choose(better, cost, self.cost)


def cascade(
    cost_at: Callable[[int, int], MatchingCost],
    intrinsics: Tensor,
    full_size: tuple[int, int],
    near: float,
    far: float,
    points: np.ndarray,
    check: Callable[[], None] = lambda: None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Depth [H, W] (0: none), normals [H, W, 3] in the camera's frame, and cost [H, W] of one photo.

    cost_at(factor, radius): the matching cost at 1/factor of the size. intrinsics [3, 3] for the full size.
    points [P, 3]: sparse points in the photo, x and y in pixels of the full size, and inverse depth.
    check: called between steps; may raise to stop.
    """
    height, width = full_size
    coarse = cost_at(4, 2)
    planes = _start(coarse, near, far)
    _try_sparse(coarse, planes, points * np.array([coarse.width / width, coarse.height / height, 1]))
    for _ in range(2):
        check()
        _fit(planes, 0.02)
        _propagate(coarse, planes, (3, 7))
        _move(coarse, planes, (-1, -0.5, 0, 0.5, 1), near, far)
    _fit(planes, 0.02)

    half = cost_at(2, 3)
    planes = _enlarge(planes, half)
    check()
    _move(half, planes, (-1.5, -0.75, 0, 0.75, 1.5), near, far)
    _fit(planes, 0.01)
    _propagate(half, planes, (4, 9))
    _fit(planes, 0.01)

    full = cost_at(1, FULL_RADIUS)
    planes = _enlarge(planes, full)
    check()
    _move(full, planes, (-1, -0.5, 0, 0.5, 1), near, far)
    _fit(planes, 0.01)
    check()
    _propagate(full, planes, (5,))
    check()
    _move(full, planes, (-0.6, -0.3, 0, 0.3, 0.6), near, far, smooth=False)
    _fit(planes, 0.005)

    normal = normals(planes.w, planes.slant_x, planes.slant_y, intrinsics)
    depth = depth_map(planes.w, planes.slant_x, planes.slant_y, planes.cost, near, far)
    return depth, normal, planes.cost


def _start(cost: MatchingCost, near: float, far: float) -> Planes:
    """The best of all depths, with fronto-parallel windows."""
    step = cost.parallax_step(0.5 * (1 / near + 1 / far))
    min_depths, max_depths = COARSE_DEPTHS
    depths = int(min(max_depths, max(min_depths, (1 / near - 1 / far) / step)))
    w, best = sweep(cost, 0.0, depth_steps(near, far, depths))
    return Planes(median3(w), torch.zeros_like(w), torch.zeros_like(w), best)


def _try_sparse(cost: MatchingCost, planes: Planes, points: np.ndarray) -> None:
    """Use the planes through the sparse points, also some steps before or behind them, where they are better."""
    sparse = sparse_planes(points, cost.height, cost.width)
    if sparse is None:
        return
    w, slant_x, slant_y = torch.from_numpy(sparse).to(cost.device)
    unit = cost.parallax_step(float(planes.w.median()))
    tried, best = sweep(cost, w, [step * unit for step in SPARSE_STEPS])
    better = above(planes.cost - GAIN, best).mul_(above(w, 0.0))
    planes.take(better, tried, slant_x, slant_y, best)


def _fit(planes: Planes, sigma: float) -> None:
    """Smooth the depths over their surroundings, edge-aware, which also gives the slants."""
    slants = (planes.slant_x, planes.slant_y)
    planes.w, planes.slant_x, planes.slant_y = fit_planes(planes.w, slants, planes.cost, sigma)


def _propagate(cost: MatchingCost, planes: Planes, distances: Sequence[int]) -> None:
    """Try at each pixel the planes of pixels at some distance in four directions."""
    planes.cost = cost(planes.w)
    for distance in distances:
        for dy, dx in ((0, -distance), (0, distance), (-distance, 0), (distance, 0)):
            slant_x, slant_y = _shifted(planes.slant_x, dy, dx), _shifted(planes.slant_y, dy, dx)
            w = _shifted(planes.w, dy, dx) - slant_x * dx - slant_y * dy
            now = cost(w)
            planes.take(above(planes.cost - GAIN, now), w, slant_x, slant_y, now)


def _shifted(values: Tensor, dy: int, dx: int) -> Tensor:
    """values at (y + dy, x + dx); wraps around at the edge, where the cost rejects them."""
    return torch.roll(values, (-dy, -dx), (0, 1))


def _move(
    cost: MatchingCost,
    planes: Planes,
    steps: Sequence[float],
    near: float,
    far: float,
    smooth: bool = True,
) -> None:
    """Move each plane to the best of `steps` (evenly spaced, in pixels of parallax), interpolated."""
    unit = cost.parallax_step(float(planes.w[::4, ::4].median()))
    w, planes.cost = sweep(cost, planes.w, [step * unit for step in steps])
    w = w.clamp_(0.5 / far, 2.0 / near)
    planes.w = median3(w) if smooth else w


def _enlarge(planes: Planes, cost: MatchingCost) -> Planes:
    """The planes at about twice the size: each new pixel takes its parent's plane, evaluated at its own position."""
    height, width = planes.w.shape
    rows, row_offset, scale_y = _parents(height, cost.height, cost.device)
    columns, column_offset, scale_x = _parents(width, cost.width, cost.device)
    w, slant_x, slant_y, old = (
        values[rows][:, columns] for values in (planes.w, planes.slant_x, planes.slant_y, planes.cost)
    )
    w = w + slant_x * column_offset[None, :] + slant_y * row_offset[:, None]
    return Planes(w, slant_x * scale_x, slant_y * scale_y, old)


def _parents(old: int, new: int, device: torch.device) -> tuple[Tensor, Tensor, float]:
    """For each new row: its parent, its distance from the parent's center (in old rows), and old/new."""
    scale = old / new
    place = (torch.arange(new, device=device) + 0.5) * scale
    parent = place.floor().long().clamp_max(old - 1)
    return parent, place - parent - 0.5, scale


def median3(values: Tensor) -> Tensor:
    """Median over 3x3 windows, edges repeated, with a network of 19 exchanges (Smith, 1996)."""
    padded = torch.nn.functional.pad(values[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    height, width = values.shape
    p = [padded[dy : dy + height, dx : dx + width] for dy in range(3) for dx in range(3)]
    network = (
        (1, 2), (4, 5), (7, 8), (0, 1), (3, 4), (6, 7), (1, 2), (4, 5), (7, 8), (0, 3), (5, 8), (4, 7),
        (3, 6), (1, 4), (2, 5), (4, 7), (4, 2), (6, 4), (4, 2),
    )  # fmt: skip
    for low, high in network:
        p[low], p[high] = torch.minimum(p[low], p[high]), torch.maximum(p[low], p[high])
    return p[4]
