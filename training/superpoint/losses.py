"""The losses of SuperPoint's training."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor

from blender_recon3d.pipeline.models.superpoint import CELL

from ..warps import apply_homography, pixel_grid
from .corners import local_maxima

TEMPERATURE = 0.05
APART = 4.0  # pixels: points closer than this are not negatives of each other


def hard_detector_loss(logits: Tensor, classes: Tensor) -> Tensor:
    """Cross-entropy of cells [B, 65, h, w] with classes int64 [B, h, w], ignoring -100."""
    return F.cross_entropy(logits, classes, ignore_index=-100)


def soft_detector_loss(logits: Tensor, target: Tensor, whole: Tensor) -> Tensor:
    """Kullback-Leibler divergence of cells from distributions [B, 65, h, w], where whole [B, h, w]."""
    log = logits.log_softmax(dim=1)
    divergence = (torch.special.xlogy(target, target) - target * log).sum(dim=1)
    return (divergence * whole).sum() / whole.sum().clamp(min=1)


def auxiliary_loss(maps: list[Tensor], response: Tensor, valid: Tensor) -> Tensor:
    """L1 distance of maps of lower resolution from the logarithm of the response [B, 1, H, W] (its maximum)."""
    loss = response.new_zeros(())
    weight = valid[:, None].float()
    for values in maps:
        step = response.shape[-1] // values.shape[-1]
        target = (F.max_pool2d(response, step) + 1e-3).log() + 5
        inside = -F.max_pool2d(-weight, step)
        loss = loss + ((values - target).abs() * inside).sum() / inside.sum().clamp(min=1)
    return loss


def sample_correspondences(
    response: Tensor, valid: tuple[Tensor, Tensor], to_second: Tensor, count: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Points [B, count, 2] in the first views, half of them corners, and their positions in the second views.

    response: [B, 1, H, W]; valid: bool [B, H, W] of either view; to_second: homographies [B, 3, 3] from first
    to second. Returns the points, their partners, and bool [B, count]: both are on the photo.
    """
    height, width = response.shape[-2:]
    device = response.device
    noise = torch.rand(2, len(response), height * width, generator=generator).to(device)
    corners = local_maxima(response).flatten(1)
    first = torch.cat(
        [
            (corners * noise[0]).topk(count // 2).indices,
            (noise[1] * valid[0].flatten(1)).topk(count // 2).indices,
        ],
        1,
    )
    xy = pixel_grid(height, width, device).reshape(-1, 2)[first]
    partner = apply_homography(to_second, xy)
    size = torch.tensor([width, height], device=device)
    inside = ((partner >= 0) & (partner <= size - 1)).all(dim=-1)
    nearest = partner.round().long().clamp(min=0)
    nearest = torch.minimum(nearest, size - 1)
    seen = valid[1].flatten(1).gather(1, nearest[..., 1] * width + nearest[..., 0])
    return xy, partner, inside & seen & valid[0].flatten(1).gather(1, first)


def descriptors_at(descriptors: Tensor, xy: Tensor) -> Tensor:
    """Descriptors [B, N, 256] of length 1 at xy [B, N, 2], bilinear in coarse maps [B, 256, h, w]; the center of cell i
    is at pixel 8 i + 3.5."""
    size = torch.tensor([descriptors.shape[-1], descriptors.shape[-2]], device=xy.device)
    grid = 2 * (xy + 0.5) / (size * CELL) - 1
    sampled = F.grid_sample(descriptors, grid[:, :, None], padding_mode="border", align_corners=False)
    return F.normalize(sampled[..., 0].transpose(1, 2), dim=-1)


def descriptor_loss(
    first: Tensor, second: Tensor, xy: tuple[Tensor, Tensor], usable: Tensor
) -> tuple[Tensor, Tensor]:
    """InfoNCE in both directions over all points of the batch, and the share of points whose partner is the nearest.

    first, second: [B, N, 256] of length 1; xy: [B, N, 2] of each; usable: bool [B, N]. Points of the same photo closer
    than APART to the partner, in either view, count neither as positive nor as negative.
    """
    batch, count = usable.shape
    similarity = torch.einsum("and,bmd->anbm", first, second) / TEMPERATURE
    near = torch.zeros(batch, count, batch, count, dtype=torch.bool, device=usable.device)
    close = (torch.cdist(xy[0], xy[0]) < APART) | (torch.cdist(xy[1], xy[1]) < APART)
    close = close & ~torch.eye(count, dtype=torch.bool, device=usable.device)
    index = torch.arange(batch, device=usable.device)
    near[index, :, index, :] = close
    near = near | ~usable[:, :, None, None] | ~usable[None, None]
    logits = similarity.masked_fill(near, -1e4).view(batch * count, batch * count)[usable.flatten()]
    logits = logits[:, usable.flatten()]
    target = torch.arange(len(logits), device=logits.device)
    loss = 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target))
    with torch.no_grad():
        right = (logits.argmax(dim=1) == target).float().mean()
    return loss, right
