"""Random homographies, and batched views of photos through them, on any device.

A homography [3, 3] maps pixels of a view to pixels of the photo (or of another view); the first pixel center is
(0, 0).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor

from .photos import PhotoStack


@dataclass(frozen=True)
class WarpSettings:
    """Ranges of the random warps.

    crop_scale: photo pixels per view pixel, of the first view.
    rotation: degrees, between the two views; any_rotation: share of pairs rotated by any angle.
    scale: factor between the two views, in either direction; stretch: of one axis relative to the other, likewise.
    perspective: change of scale from the center to the edge. translation: in view widths.
    """

    crop_scale: tuple[float, float] = (0.8, 2.0)
    rotation: float = 35.0
    any_rotation: float = 0.05
    scale: float = 1.5
    stretch: float = 1.25
    perspective: float = 0.2
    translation: float = 0.15


def apply_homography(homography: Tensor, xy: Tensor) -> Tensor:
    """Points [B, ..., 2] through homographies [B, 3, 3]; points behind the camera are mapped far outside."""
    shape = xy.shape
    flat = xy.reshape(shape[0], -1, 2)
    mapped = torch.baddbmm(homography[:, None, :, 2], flat, homography[:, :, :2].transpose(1, 2))
    depth = mapped[..., 2:]
    depth = torch.where(depth > 1e-3, depth, torch.full_like(depth, 1e-3))
    return (mapped[..., :2] / depth).reshape(shape)


def pixel_grid(height: int, width: int, device: torch.device) -> Tensor:
    """Pixel centers [H, W, 2]."""
    rows, columns = torch.meshgrid(
        torch.arange(height, device=device, dtype=torch.float32),
        torch.arange(width, device=device, dtype=torch.float32),
        indexing="ij",
    )
    return torch.stack([columns, rows], dim=-1)


def random_pair(
    sizes: Tensor, view: tuple[int, int], settings: WarpSettings, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Homographies [B, 3, 3] from two overlapping views to photos with `sizes` [B, 2] (width, height).

    view: (height, width). Random numbers are drawn on the generator's device.
    """
    first = _random_crop(sizes.to(generator.device), view, settings, generator)
    relative = _random_relative(len(sizes), view, settings, generator)
    return first.to(sizes.device), (first @ relative).to(sizes.device)


def random_views(
    sizes: Tensor, view: tuple[int, int], settings: WarpSettings, generator: torch.Generator
) -> Tensor:
    """Homographies [B, 3, 3] from one view each to photos with `sizes` [B, 2] (width, height): a crop, rotated, scaled
    and tilted within the settings' ranges."""
    crop = _random_crop(sizes.to(generator.device), view, settings, generator, mirror=False)
    return (crop @ _random_relative(len(sizes), view, settings, generator)).to(sizes.device)


def sample_views(
    photos: PhotoStack, index: Tensor, homography: Tensor, view: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Views [B, 1, H, W] in [0, 1] of photos[index] ([B, 3, H, W] of color photos) and where they show the photo, bool
    [B, H, W].

    Each pixel is the mean of four samples, so that reductions up to three times do not alias.
    """
    height, width = view
    images = photos.pixels[index].float() / 255
    images = images if images.dim() == 4 else images[:, None]
    grid = (pixel_grid(2 * height, 2 * width, images.device) - 0.5) / 2
    xy = apply_homography(homography, grid.expand(len(index), -1, -1, -1))
    side = images.shape[-1]
    fine = F.grid_sample(images, xy * (2 / (side - 1)) - 1, mode="bilinear", align_corners=True)
    views = F.avg_pool2d(fine, 2)
    xy = apply_homography(homography, pixel_grid(height, width, images.device).expand(len(index), -1, -1, -1))
    limits = photos.sizes[index][:, None, None, :] - 1
    valid = ((xy >= 0) & (xy <= limits)).all(dim=-1)
    return views, valid


def warp_map(values: Tensor, homography: Tensor, view: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Maps [B, 1, h, w] seen from views with homographies [B, 3, 3] to them, and where they are visible."""
    height, width = values.shape[-2:]
    grid = pixel_grid(*view, values.device).expand(len(values), -1, -1, -1)
    xy = apply_homography(homography, grid)
    size = torch.tensor([width - 1, height - 1], dtype=torch.float32, device=values.device)
    inside = ((xy >= 0) & (xy <= size)).all(dim=-1)
    return F.grid_sample(values, xy * 2 / size - 1, align_corners=True), inside


def _random_crop(
    sizes: Tensor,
    view: tuple[int, int],
    settings: WarpSettings,
    generator: torch.Generator,
    mirror: bool = True,
) -> Tensor:
    """View to photo: a crop inside the photo, upright, or mirrored (half of them)."""
    count = len(sizes)
    place = generator.device
    extent = torch.tensor([view[1], view[0]], dtype=torch.float32, device=place)
    low, high = settings.crop_scale
    most = (sizes / extent).amin(dim=1).clamp(max=high)
    uniform = torch.rand(count, 4, generator=generator, device=place)
    scale = (low * (most / low).clamp(min=1) ** uniform[:, 0]).minimum(most)
    room = sizes - 1 - scale[:, None] * (extent - 1)
    corner = uniform[:, 1:3] * room
    crop = torch.zeros(count, 3, 3, device=place)
    crop[:, 0, 0], crop[:, 1, 1], crop[:, 2, 2] = scale, scale, 1
    crop[:, :2, 2] = corner
    mirrored = uniform[:, 3] < 0.5 * mirror
    crop[mirrored, 0, 0] *= -1
    crop[mirrored, 0, 2] += scale[mirrored] * (view[1] - 1)
    return crop


def _random_relative(
    count: int, view: tuple[int, int], settings: WarpSettings, generator: torch.Generator
) -> Tensor:
    """Second view to first view: rotation, scale, stretch, perspective and translation around the center."""
    height, width = view
    place = generator.device
    signed = 2 * torch.rand(count, 8, generator=generator, device=place) - 1
    angle = signed[:, 0] * math.radians(settings.rotation)
    free = torch.rand(count, generator=generator, device=place) < settings.any_rotation
    angle = torch.where(free, signed[:, 0] * math.pi, angle)
    scale = settings.scale ** signed[:, 1]
    stretch = settings.stretch ** (signed[:, 2] / 2)
    cos, sin = angle.cos(), angle.sin()
    axis = signed[:, 7] * math.pi
    turn = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
    along = torch.stack(
        [torch.stack([axis.cos(), -axis.sin()], -1), torch.stack([axis.sin(), axis.cos()], -1)], -2
    )
    stretched = along @ torch.diag_embed(torch.stack([stretch, 1 / stretch], -1)) @ along.transpose(1, 2)
    matrix = torch.zeros(count, 3, 3, device=place)
    matrix[:, :2, :2] = scale[:, None, None] * (turn @ stretched)
    matrix[:, 0, 2] = signed[:, 3] * settings.translation * width
    matrix[:, 1, 2] = signed[:, 4] * settings.translation * height
    matrix[:, 2, 0] = signed[:, 5] * settings.perspective * 2 / width
    matrix[:, 2, 1] = signed[:, 6] * settings.perspective * 2 / height
    matrix[:, 2, 2] = 1
    center = torch.eye(3, device=place).repeat(count, 1, 1)
    center[:, 0, 2], center[:, 1, 2] = (width - 1) / 2, (height - 1) / 2
    return center @ matrix @ torch.linalg.inv(center)


def blur(images: Tensor, sigma: Tensor, radius: int = 4) -> Tensor:
    """Gaussian blur of images [B, 1, H, W], each with its own sigma [B] in pixels."""
    offsets = torch.arange(-radius, radius + 1, device=images.device, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (offsets / sigma[:, None].clamp(min=1e-3)).square())
    kernel = kernel / kernel.sum(dim=1, keepdim=True)
    batch = images.transpose(0, 1)  # one group per image
    batch = F.pad(batch, (radius, radius, 0, 0), mode="replicate")
    batch = F.conv2d(batch, kernel[:, None, None, :], groups=len(images))
    batch = F.pad(batch, (0, 0, radius, radius), mode="replicate")
    return F.conv2d(batch, kernel[:, None, :, None], groups=len(images)).transpose(0, 1)
