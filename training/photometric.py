"""Random changes of light, sensor and focus for batches of gray images, on any device."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor

from .warps import blur


def change_light(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Images [B, 1, H, W] in [0, 1] under other conditions, still in [0, 1].

    strength: 0 changes nothing, 1 is the difference between photos of one place at different hours. In order: uneven
    light and shadows, exposure, contrast, gamma, blur of focus or motion, noise, eight bits.
    """
    if strength <= 0:
        return images
    count, device = len(images), images.device

    def signed(*shape: int) -> Tensor:
        return (2 * torch.rand(count, *shape, generator=generator, device=generator.device) - 1).to(device)

    def chosen(share: float) -> Tensor:
        return (torch.rand(count, 1, 1, 1, generator=generator, device=generator.device) < share).to(device)

    light = torch.exp(strength * 0.6 * _smooth_field(images, 3, generator))
    images = torch.where(chosen(0.6), images * light, images)
    shadow = _smooth_field(images, 4, generator)
    edge = torch.sigmoid((shadow + 0.3 * signed(1, 1, 1)) * 25)
    images = torch.where(chosen(0.4), images * (1 - strength * 0.6 * edge * signed(1, 1, 1).abs()), images)
    contrast = torch.exp(strength * 0.7 * signed(1, 1, 1))
    middle = images.mean(dim=(1, 2, 3), keepdim=True)
    images = (images - middle) * contrast + middle + strength * 0.25 * signed(1, 1, 1)
    images = images.clamp(1e-4, 1) ** torch.exp(strength * 0.6 * signed(1, 1, 1))
    images = torch.where(chosen(0.4), blur(images, strength * 1.6 * signed().abs()), images)
    images = torch.where(chosen(0.15), _motion_blur(images, signed(), strength), images)
    noise = torch.randn(images.shape, generator=generator, device=generator.device).to(device)
    images = images + noise * (strength * 0.05 * signed(1, 1, 1).abs().square())
    return ((images * 255).round() / 255).clamp(0, 1)


def _smooth_field(images: Tensor, cells: int, generator: torch.Generator) -> Tensor:
    """A smooth random field over each image [B, 1, H, W], of about unit size, with features of 1/cells of its size."""
    size = (len(images), 1, cells, cells)
    coarse = torch.randn(size, generator=generator, device=generator.device).to(images.device)
    return F.interpolate(coarse, size=images.shape[-2:], mode="bicubic", align_corners=True)


def _motion_blur(images: Tensor, direction: Tensor, strength: float) -> Tensor:
    """The mean of each image moved along a line of up to 5 pixels; direction: [B] in [-1, 1] for a half turn."""
    steps = torch.linspace(-0.5, 0.5, 5, device=images.device) * 5 * strength
    angle = direction * 3.14159
    offsets = torch.arange(-3, 4, device=images.device, dtype=torch.float32)
    x = (steps[None] * angle.cos()[:, None])[:, :, None]
    y = (steps[None] * angle.sin()[:, None])[:, :, None]
    hat_x = (1 - (offsets - x).abs()).clamp(min=0)  # [B, 5, 7], linear interpolation
    hat_y = (1 - (offsets - y).abs()).clamp(min=0)
    kernel = torch.einsum("bsi,bsj->bij", hat_y, hat_x) / len(steps)
    padded = F.pad(images.transpose(0, 1), (3, 3, 3, 3), mode="replicate")
    return F.conv2d(padded, kernel[:, None], groups=len(images)).transpose(0, 1)
