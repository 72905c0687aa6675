"""PatchMatch stereo as in COLMAP and OpenMVS, on any torch device: the competitor in `dense.py` without CUDA.

Bleyer et al. 2011, Schönberger et al. 2016: every pixel has a plane; planes start randomly, good ones are propagated to
neighbors, and each is changed randomly and kept if it is better. The cost is bilaterally weighted NCC over a slanted
9x9 patch in steps of two, the mean of the two best views; three scales. Slow, since every hypothesis takes 25 samples
per view, and written for clarity.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from blender_recon3d.pipeline.mvs.cascade import Planes, _enlarge, _shifted
from blender_recon3d.pipeline.mvs.cost import OUTSIDE, VARIANCE_FLOOR, MatchingCost, above
from blender_recon3d.pipeline.mvs.plane_sweep import depth_map
from blender_recon3d.pipeline.mvs.planes import normals

RADIUS, STEP = 4, 2
SIGMA_COLOR = 0.2  # COLMAP's; its spatial sigma is the radius
ITERATIONS = 3
DISTANCES = (1, 5)
CHANGES = 3  # random ones per iteration, each half as large as the previous one
STEEPEST = math.tan(math.radians(75))  # of a random plane


class PatchCost:
    """The bilaterally weighted cost of planes; `cost` provides photos and projections."""

    def __init__(self, cost: MatchingCost) -> None:
        self.cost = cost
        reference = cost._reference
        self.offsets = [
            (dx, dy) for dy in range(-RADIUS, RADIUS + 1, STEP) for dx in range(-RADIUS, RADIUS + 1, STEP)
        ]
        padded = functional.pad(reference[None, None], (RADIUS,) * 4, mode="replicate")[0, 0]
        height, width = reference.shape
        self.values, self.weights = [], []
        for dx, dy in self.offsets:
            value = padded[RADIUS + dy : RADIUS + dy + height, RADIUS + dx : RADIUS + dx + width]
            apart = math.exp(-(dx * dx + dy * dy) / (2 * RADIUS**2))
            weight = apart * torch.exp(-((value - reference) ** 2) / (2 * SIGMA_COLOR**2))
            self.values.append(value)
            self.weights.append(weight)
        self.total = sum(self.weights)
        self.mean = sum(w * v for w, v in zip(self.weights, self.values, strict=True)) / self.total
        square = sum(w * v * v for w, v in zip(self.weights, self.values, strict=True)) / self.total
        self.variance = (square - self.mean**2).clamp_min(VARIANCE_FLOOR)

    def __call__(self, w: Tensor, slant_x: Tensor, slant_y: Tensor) -> Tensor:
        costs = torch.stack(
            [self._one_view(view, w, slant_x, slant_y) for view in range(len(self.cost._sources))]
        )
        return costs.topk(min(2, len(costs)), dim=0, largest=False).values.mean(dim=0)

    def _one_view(self, view: int, w: Tensor, slant_x: Tensor, slant_y: Tensor) -> Tensor:
        source = self.cost._sources[view][None, None]
        sums = [torch.zeros_like(w) for _ in range(3)]
        outside = None
        for (dx, dy), value, weight in zip(self.offsets, self.values, self.weights, strict=True):
            x, y = self.cost._x[None] + dx, self.cost._y[:, None] + dy
            here = w + slant_x * dx + slant_y * dy
            rays, offsets = self.cost._rays[view], self.cost._offsets[view]
            q = [a * x + b * y + c + o * here for (a, b, c), o in zip(rays, offsets, strict=True)]
            scale = q[2].clamp_min(1e-9).reciprocal()
            grid = torch.stack([q[0] * scale, q[1] * scale], dim=-1)
            if dx == dy == 0:
                outside = grid.abs().amax(dim=-1) > 1
            found = functional.grid_sample(source, grid[None], align_corners=False)[0, 0]
            weighted = weight * found
            sums[0] += weighted
            sums[1] += weighted * found
            sums[2] += weighted * value
        mean, square, product = (values / self.total for values in sums)
        variance = (square - mean**2).clamp_min(VARIANCE_FLOOR)
        cost = 1 - ((product - mean * self.mean) / (variance * self.variance).sqrt()).clamp(-1, 1)
        assert outside is not None
        return torch.where(outside, OUTSIDE, cost)


def patch_match(
    cost_at: Callable[[int, int], MatchingCost], intrinsics: Tensor, near: float, far: float, seed: int
) -> tuple[Tensor, Tensor]:
    """Depth [H, W] (0: none) and normals [H, W, 3] of one photo, as `mvs.cascade` gives them."""
    generator = torch.Generator().manual_seed(seed)
    planes = None
    for factor in (4, 2, 1):
        base = cost_at(factor, RADIUS)
        cost = PatchCost(base)
        focal = float(intrinsics[0, 0]) / factor
        planes = _random(base, near, far, focal, generator) if planes is None else _enlarge(planes, base)
        planes.cost = cost(planes.w, planes.slant_x, planes.slant_y)
        for _ in range(ITERATIONS):
            _propagate(cost, planes)
            _change(cost, planes, near, far, focal, generator)
    normal = normals(planes.w, planes.slant_x, planes.slant_y, intrinsics)
    return depth_map(planes.w, planes.slant_x, planes.slant_y, planes.cost, near, far), normal


def _random(base: MatchingCost, near: float, far: float, focal: float, generator: torch.Generator) -> Planes:
    shape = (base.height, base.width)
    w = 1 / far + (1 / near - 1 / far) * torch.rand(shape, generator=generator)
    slants = [_random_slant(w, focal, generator) for _ in range(2)]
    return Planes(w.to(base.device), *(slant.to(base.device) for slant in slants), torch.full(shape, 2.0))


def _random_slant(w: Tensor, focal: float, generator: torch.Generator) -> Tensor:
    """Inverse depth per pixel, for planes tilted by up to 75 degrees: w tan(tilt) / focal."""
    return w.cpu() * STEEPEST / focal * (2 * torch.rand(w.shape, generator=generator) - 1)


def _propagate(cost: PatchCost, planes: Planes) -> None:
    for distance in DISTANCES:
        for dy, dx in ((0, -distance), (0, distance), (-distance, 0), (distance, 0)):
            slant_x, slant_y = _shifted(planes.slant_x, dy, dx), _shifted(planes.slant_y, dy, dx)
            _take(cost, planes, _shifted(planes.w, dy, dx) - slant_x * dx - slant_y * dy, slant_x, slant_y)


def _change(
    cost: PatchCost, planes: Planes, near: float, far: float, focal: float, generator: torch.Generator
) -> None:
    size = 0.05
    for number in range(CHANGES):
        factor = 1 + size * (2 * torch.rand(planes.w.shape, generator=generator) - 1).to(planes.w.device)
        w = (planes.w * factor).clamp(0.5 / far, 2 / near)
        turns = [_random_slant(w, focal, generator).to(w.device) for _ in range(2)]
        if number == 0:  # any slant at all, then smaller and smaller changes
            slant_x, slant_y = turns
        else:
            slant_x, slant_y = planes.slant_x + 4 * size * turns[0], planes.slant_y + 4 * size * turns[1]
        _take(cost, planes, planes.w, slant_x, slant_y)
        _take(cost, planes, w, planes.slant_x, planes.slant_y)
        size /= 4


def _take(cost: PatchCost, planes: Planes, w: Tensor, slant_x: Tensor, slant_y: Tensor) -> None:
    now = cost(w, slant_x, slant_y)
    planes.take(above(planes.cost, now), w, slant_x, slant_y, now)
