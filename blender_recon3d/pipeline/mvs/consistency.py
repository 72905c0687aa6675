"""Keeps the depths that other photos confirm.

A pixel's point is looked up in a neighbor's depth map and projected back: a neighbor confirms it if it returns to
within a pixel and its depth agrees to one percent. Depths that no neighbor confirms are noise, and so are speckles of
a few pixels. Maps use COLMAP's convention here: the depth at (column, row), not half a pixel beyond.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .depth_views import View

REPROJECTION = 1.0  # pixels
DEPTH = 0.01  # of depth
SPECK = 60  # pixels; patches up to this size are removed
SPECK_STEP = 0.01  # of depth: neighboring pixels that differ by more belong to different patches


def confirmations(
    depth: Tensor, view: View, neighbors: Iterable[tuple[Tensor, View]], device: torch.device
) -> Tensor:
    """How many neighbors confirm each depth of `view`, float32 [H, W]; depths [H, W], 0 is none."""
    height, width = depth.shape
    x = torch.arange(width, dtype=torch.float32, device=device)[None].expand(height, width)
    y = torch.arange(height, dtype=torch.float32, device=device)[:, None].expand(height, width)
    count = torch.zeros_like(depth)
    for other_depth, other in neighbors:
        there_x, there_y, z = _projected(x, y, depth, view, other)
        neighbor_depth = _look_up(other_depth, there_x, there_y)
        back_x, back_y, back_z = _projected(there_x, there_y, neighbor_depth, other, view)
        same = (neighbor_depth > 0) & (depth > 0) & (z > 0)
        same &= torch.hypot(back_x - x, back_y - y) <= REPROJECTION
        same &= (back_z - depth).abs() <= DEPTH * depth
        count += same.float()
    return count


def _projected(
    x: Tensor, y: Tensor, depth: Tensor, source: View, target: View
) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels of `source` with their depths, projected into `target`: x, y, depth."""
    rotation = target.cam_from_world[:, :3] @ source.cam_from_world[:, :3].T
    translation = target.cam_from_world[:, 3] - rotation @ source.cam_from_world[:, 3]
    matrix = (target.intrinsics @ rotation @ np.linalg.inv(source.intrinsics)).tolist()
    offset = (target.intrinsics @ translation).tolist()
    q = [(a * x + b * y + c).mul_(depth).add_(o) for (a, b, c), o in zip(matrix, offset, strict=True)]
    scale = q[2].clamp_min(1e-9).reciprocal()
    return q[0] * scale, q[1] * scale, q[2]


def _look_up(depth: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The depth at positions in a map, 0 if there is none: on the plane through the nearest pixel and its more similar
    neighbors."""
    height, width = depth.shape
    w = torch.where(depth > 0, 1 / depth.clamp_min(1e-9), 0.0)
    maps = torch.stack([w, gentler(w, 1), gentler(w, 0)])
    near_x, near_y = x.round(), y.round()
    grid = torch.stack([(2 * near_x + 1) / width - 1, (2 * near_y + 1) / height - 1], dim=-1)
    there, slant_x, slant_y = functional.grid_sample(
        maps[None], grid[None], mode="nearest", align_corners=False
    )[0]
    moved = there + slant_x * (x - near_x) + slant_y * (y - near_y)
    return torch.where((there > 0) & (moved > 0), 1 / moved.clamp_min(1e-9), 0.0)


def gentler(w: Tensor, dim: int) -> Tensor:
    """The smaller of the differences to the two neighbors, which at an edge is the slant of the surface itself."""
    before, after = w - w.roll(1, dim), w.roll(-1, dim) - w
    return torch.where(before.abs() < after.abs(), before, after)


def without_specks(depth: np.ndarray) -> np.ndarray:
    """Depth [H, W] without patches of at most SPECK pixels."""
    seen = depth > 0
    if not seen.any():
        return depth
    # Equal steps of the logarithm are equal ratios of depth; OpenCV needs 16-bit integers.
    levels = np.zeros(depth.shape, np.int16)
    logs = np.log(depth[seen])
    step = max(SPECK_STEP / 16, float(np.ptp(logs)) / 32000)
    levels[seen] = 1 + (logs - logs.min()) / step
    cv2.filterSpeckles(levels, 0, SPECK, SPECK_STEP / step)
    return np.where(levels > 0, depth, 0)
