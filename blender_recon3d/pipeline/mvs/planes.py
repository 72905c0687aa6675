"""Planes per pixel in inverse depth: fitting them to a depth map, and their normals."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .cost import strip_rows


def fit_planes(
    inverse_depth: Tensor,
    slants: tuple[Tensor, Tensor] | None,
    cost: Tensor,
    sigma: float,
    radius: int = 4,
    step: int = 2,
) -> tuple[Tensor, Tensor, Tensor]:
    """Edge-aware least-squares planes over a window: (w, dw/dx, dw/dy), each [H, W].

    Neighbor i has weight max(.02, 1 - cost_i / .6) exp(-(r_i / (sigma w))^2), where r_i is its distance from the
    current plane (`slants`; None: fronto-parallel): reliable ones count, and those beyond a depth discontinuity do not.
    """
    height = inverse_depth.shape[0]
    results = torch.empty(3, *inverse_depth.shape, device=inverse_depth.device)
    quality = (1 - cost / 0.6).clamp_min_(0.02)
    padded = functional.pad(torch.stack([inverse_depth, quality])[None], (radius,) * 4, mode="replicate")[0]
    rows = strip_rows(inverse_depth)
    for top in range(0, height, rows):
        part = slice(top, min(height, top + rows))
        around = padded[:, part.start : part.stop + 2 * radius]
        known = None if slants is None else (slants[0][part], slants[1][part])
        _fit_strip(inverse_depth[part], known, around, sigma, radius, step, results[:, part])
    return results[0], results[1], results[2]


def _fit_strip(
    w: Tensor,
    slants: tuple[Tensor, Tensor] | None,
    around: Tensor,
    sigma: float,
    radius: int,
    step: int,
    out: Tensor,
) -> None:
    height, width = w.shape
    scale = (sigma * w).clamp_min_(1e-12).reciprocal_()
    sums = torch.zeros(9, height, width, device=w.device)
    for dy in range(-radius, radius + 1, step):
        for dx in range(-radius, radius + 1, step):
            rows = slice(radius + dy, radius + dy + height)
            columns = slice(radius + dx, radius + dx + width)
            difference = around[0, rows, columns] - w
            if slants is None:
                residual = difference.clone()
            else:
                residual = torch.sub(difference, slants[0], alpha=dx).sub_(slants[1], alpha=dy)
            weight = residual.mul_(scale).square_().neg_().exp_().mul_(around[1, rows, columns])
            for total, moment in zip(sums, (1, dx, dy, dx * dx, dx * dy, dy * dy), strict=False):
                if moment:
                    total.add_(weight, alpha=moment)
            value = difference.mul_(weight)
            sums[6].add_(value)
            for total, moment in ((sums[7], dx), (sums[8], dy)):
                if moment:
                    total.add_(value, alpha=moment)
    means = sums[1:] / sums[0]
    mean_x, mean_y, mean_w = means[0], means[1], means[5]
    ridge = 0.05 * radius**2  # pulls slants with few samples towards zero
    xx = means[2] - mean_x**2 + ridge * 0.1
    yy = means[4] - mean_y**2 + ridge * 0.1
    xy = means[3] - mean_x * mean_y
    xw = means[6] - mean_x * mean_w
    yw = means[7] - mean_y * mean_w
    determinant = xx * yy - xy * xy
    out[1] = (yy * xw - xy * yw) / determinant
    out[2] = (xx * yw - xy * xw) / determinant
    out[0] = w + mean_w - out[1] * mean_x - out[2] * mean_y


def normals(inverse_depth: Tensor, slant_x: Tensor, slant_y: Tensor, intrinsics: Tensor) -> Tensor:
    """Unit normals [H, W, 3] in the camera's frame, facing it.

    A plane n.X = d has inverse depth a.(x, y, 1) with a = K^-T n / d, so n is along K^T a; the sign that faces the
    camera is the one with n.X < 0.
    """
    height, width = inverse_depth.shape
    x = torch.arange(width, device=inverse_depth.device) + 0.5
    y = torch.arange(height, device=inverse_depth.device)[:, None] + 0.5
    a = torch.stack([slant_x, slant_y, inverse_depth - slant_x * x - slant_y * y], dim=-1)
    return functional.normalize(-(a @ intrinsics.float()), dim=-1)
