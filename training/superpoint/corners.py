"""A classical corner response, and labels for the detector based on it.

Shi and Tomasi ("Good features to track", CVPR 1994): the square root of the smaller eigenvalue of the structure
tensor, which is a contrast, so that labels can be compared between images.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor

from blender_recon3d.pipeline.models.superpoint import CELL, window_maximum

DERIVATIVE_SIGMA = 1.0  # pixels
WINDOW_SIGMA = 1.8


def corner_response(images: Tensor) -> Tensor:
    """Shi-Tomasi response [B, 1, H, W] of images [B, 1, H, W] in [0, 1]: a gradient, in intensity per pixel."""
    smooth, slope = _gaussian(DERIVATIVE_SIGMA, images.device)
    dx = _separable(images, smooth, slope)
    dy = _separable(images, slope, smooth)
    window, _ = _gaussian(WINDOW_SIGMA, images.device)
    products = torch.cat([dx * dx, dx * dy, dy * dy], dim=0)
    xx, xy, yy = _separable(products, window, window).chunk(3)
    smaller = 0.5 * (xx + yy - ((xx - yy).square() + 4 * xy.square()).clamp(min=1e-12).sqrt())
    return smaller.clamp(min=0).sqrt()


def local_maxima(response: Tensor, radius: int = 4) -> Tensor:
    """The response [B, 1, H, W] where it is the maximum of its square of 2 radius + 1 pixels, else 0."""
    return response * (response == window_maximum(response, radius))


def hard_labels(response: Tensor, valid: Tensor, threshold: float, radius: int = 4) -> Tensor:
    """Classes int64 [B, H/8, W/8] of cells: the pixel (0-63) of the strongest local maximum above threshold, 64 if
    there is none, -100 if the cell is not entirely valid.

    response: [B, 1, H, W]; valid: bool [B, H, W].
    """
    cells = F.pixel_unshuffle(local_maxima(response * valid[:, None], radius), CELL)
    best, index = cells.max(dim=1)
    whole = F.pixel_unshuffle(valid[:, None].float(), CELL).amin(dim=1) > 0
    return index.masked_fill(best < threshold, CELL * CELL).masked_fill(~whole, -100)


def soft_labels(response: Tensor, valid: Tensor, half: float, power: float, radius: int = 4) -> Tensor:
    """Distributions float32 [B, 65, H/8, W/8]: each local maximum in proportion to (response / half)^power
    against 1 for "no keypoint here", so that the score of a corner says how strong it is."""
    maxima = local_maxima(response * valid[:, None], radius)
    weights = F.pixel_unshuffle((maxima / half) ** power, CELL)
    weights = torch.cat([weights, torch.ones_like(weights[:, :1])], dim=1)
    return weights / weights.sum(dim=1, keepdim=True)


def _gaussian(sigma: float, device: torch.device) -> tuple[Tensor, Tensor]:
    """A sampled Gaussian and its derivative, which has unit response to a unit slope."""
    radius = int(3 * sigma + 0.5)
    x = torch.arange(-radius, radius + 1, dtype=torch.float32, device=device)
    kernel = torch.exp(-0.5 * (x / sigma).square())
    kernel = kernel / kernel.sum()
    slope = x * kernel
    return kernel, slope / (slope * x).sum()


def _separable(images: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Correlate [B, 1, H, W] with the outer product of two kernels, with replicated edges."""
    r, c = len(down) // 2, len(across) // 2
    padded = F.pad(images, (c, c, r, r), mode="replicate")
    return F.conv2d(F.conv2d(padded, across[None, None, None]), down[None, None, :, None])
