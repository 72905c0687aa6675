"""Planes per pixel in inverse depth: fitting them to a depth map, and the normals they stand for."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .cost import pixel_grid


def fit_planes(
    inverse_depth: Tensor, cost: Tensor, sigma: float, radius: int = 4, step: int = 2
) -> tuple[Tensor, Tensor, Tensor]:
    """Edge-aware least-squares planes over a window: (w, dw/dx, dw/dy), each [H, W].

    Neighbour i weighs max(.02, 1 - cost_i / .6) exp(-((w_i - w) / (sigma w))^2): sure ones count, and those
    beyond a jump in depth do not.
    """
    height, width = inverse_depth.shape
    quality = (1 - cost / 0.6).clamp_min(0.02)
    padded = functional.pad(torch.stack([inverse_depth, quality])[None], (radius,) * 4, mode="replicate")[0]
    scale = 1.0 / (sigma * inverse_depth).clamp_min(1e-12)
    sums = torch.zeros(9, height, width, device=inverse_depth.device)
    for dy in range(-radius, radius + 1, step):
        for dx in range(-radius, radius + 1, step):
            rows = slice(radius + dy, radius + dy + height)
            columns = slice(radius + dx, radius + dx + width)
            difference = padded[0, rows, columns] - inverse_depth
            weight = padded[1, rows, columns] * torch.exp(-((difference * scale) ** 2))
            moments = (1, dx, dy, dx * dx, dx * dy, dy * dy)
            for index, moment in enumerate(moments):
                if moment:
                    sums[index] += weight * moment
            value = weight * difference
            sums[6] += value
            sums[7] += value * dx
            sums[8] += value * dy
    weight = sums[0]
    mean_x, mean_y, mean_w = sums[1] / weight, sums[2] / weight, sums[6] / weight
    ridge = 0.05 * radius**2  # pulls slants that few samples speak for towards none
    xx = sums[3] / weight - mean_x**2 + ridge * 0.1
    yy = sums[5] / weight - mean_y**2 + ridge * 0.1
    xy = sums[4] / weight - mean_x * mean_y
    xw = sums[7] / weight - mean_x * mean_w
    yw = sums[8] / weight - mean_y * mean_w
    determinant = xx * yy - xy * xy
    slant_x = (yy * xw - xy * yw) / determinant
    slant_y = (xx * yw - xy * xw) / determinant
    return inverse_depth + mean_w - slant_x * mean_x - slant_y * mean_y, slant_x, slant_y


def normals(inverse_depth: Tensor, slant_x: Tensor, slant_y: Tensor, intrinsics: Tensor) -> Tensor:
    """Unit normals [H, W, 3] in the camera's frame, facing it.

    A plane n.X = d is seen at inverse depth a.(x, y, 1) with a = K^-T n / d, so n is along K^T a; the sign
    that faces the camera is the one with n.X < 0.
    """
    height, width = inverse_depth.shape
    x, y, _ = pixel_grid(height, width, inverse_depth.device)
    a = torch.stack([slant_x, slant_y, inverse_depth - slant_x * x - slant_y * y], dim=-1)
    return functional.normalize(-(a @ intrinsics.float()), dim=-1)
