"""Small pieces of the surface around vertices, as the first of a vertex's photos shows them.

A window is a square of that photo's pixels. Each pixel is projected onto the mesh, so that windows follow the surface;
a pixel whose surface is far in front of the vertex or behind it is not part of the piece, and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .gray_views import GrayView

GAUSSIAN = 0.8  # of the window's radius: the standard deviation of the pixels' weights
JUMP = 3.0  # times the window's radius: farther from the vertex's tangent plane is a different surface


@dataclass(frozen=True)
class Windows:
    """points float32 [B, S, 3]: on the surface, in the first photo's camera frame; weights [B, S]: their sum is 1, or 0
    if the piece is empty."""

    points: Tensor
    weights: Tensor


def windows_at(
    view: GrayView,
    inverse_depth: Tensor,
    points: Tensor,
    normals: Tensor,
    pixel: Tensor,
    scale: float,
    radius: int,
) -> Windows:
    """Windows of (2 radius + 1)^2 pixels of the photo at `scale` of its size, around vertices that it shows.

    inverse_depth [h, w]: of the mesh in the photo; points, normals float32 [B, 3]: of the vertices, in its camera
    frame; pixel [B]: a pixel's width there, at full size, in units of the model.
    """
    step = torch.arange(-radius, radius + 1, dtype=torch.float32, device=points.device) / scale
    down, across = (part.reshape(-1) for part in torch.meshgrid(step, step, indexing="ij"))
    sigma = GAUSSIAN * radius / scale
    gaussian = torch.exp(-(across**2 + down**2) / (2 * sigma**2))
    focal_x, focal_y = float(view.intrinsics[0, 0]), float(view.intrinsics[1, 1])
    middle_x, middle_y = float(view.intrinsics[0, 2]), float(view.intrinsics[1, 2])
    depth = points[:, 2:]
    x = points[:, :1] / depth * focal_x + middle_x + across
    y = points[:, 1:2] / depth * focal_y + middle_y + down
    rays = torch.stack([(x - middle_x) / focal_x, (y - middle_y) / focal_y, torch.ones_like(x)], dim=-1)
    flat = _tangent_depth(rays, points, normals)
    seen = _look_up(inverse_depth, x, y, view)
    reach = JUMP * radius / scale * pixel[:, None]
    # The mesh may have moved a little since it was rendered: its shape counts, and it passes through the vertex.
    middle = seen[:, seen.shape[1] // 2, None]
    near = (middle > 0) & ((1 / middle.clamp_min(1e-30) - depth).abs() < reach)
    seen = torch.where(seen > 0, seen + torch.where(near, 1 / depth - middle, 0.0), seen)
    drawn = torch.where(seen > 0, 1 / seen.clamp_min(1e-30), flat)
    same = (drawn - flat).abs() < reach
    weights = gaussian * same
    weights = weights / weights.sum(dim=1, keepdim=True).clamp_min(1e-9)
    return Windows(rays * torch.where(same, drawn, flat)[..., None], weights)


def _tangent_depth(rays: Tensor, points: Tensor, normals: Tensor) -> Tensor:
    """[B, S]: depth at which rays [B, S, 3] meet the vertices' tangent planes; the vertex's if that is far off."""
    depth = points[:, 2:]
    height = (normals * points).sum(dim=1, keepdim=True)
    slope = (rays * normals[:, None]).sum(dim=2)
    flat = height / torch.where(slope.abs() < 1e-9, 1e-9, slope)
    return torch.where((flat > 0.5 * depth) & (flat < 2 * depth), flat, depth)


def _look_up(inverse_depth: Tensor, x: Tensor, y: Tensor, view: GrayView) -> Tensor:
    """Interpolated inverse depth [B, S] at pixels of the photo; 0 outside."""
    grid = torch.stack([x * (2 / view.width) - 1, y * (2 / view.height) - 1], dim=-1)
    return functional.grid_sample(inverse_depth[None, None], grid[None], align_corners=False)[0, 0]


def to_camera_directions(view: GrayView, normals: np.ndarray) -> np.ndarray:
    """Directions [N, 3] of the model's frame in the photo's camera frame."""
    return normals @ view.cam_from_world[:, :3].T
