"""Scenes of one photo each: the photo on a plane or over a random relief, seen by several cameras.

The views are rendered by ray marching, with occlusion, so that correspondences between views are exact for non-planar
scenes too; a flat relief gives homographies. Everything is batched and runs on any device.

World: the photo's pixels are x and y (first pixel center (0, 0)); z points away from the cameras, the photo's plane is
z = 0, and the relief is a function z(x, y) in pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor

from .photos import PhotoStack
from .warps import pixel_grid

SIDE = 160  # samples of a relief in x and in y: smooth enough, and small enough for a cache
LEVELS = 24  # steps of the ray through the relief's range; the last is refined


@dataclass(frozen=True)
class ReliefSettings:
    """Ranges of random scenes and cameras.

    flat: share of scenes without relief. depth: largest relief, as a share of what a view shows.
    tilt: degrees between a view's axis and the photo's normal. roll: degrees around that axis; any_roll: share of views
    with any roll. scale: factor of a view's size relative to the scene's own, in either direction. view_scale: photo
    pixels per view pixel. translation: of the point looked at, in view widths.
    """

    flat: float = 0.4
    depth: float = 0.3
    tilt: float = 45.0
    roll: float = 30.0
    any_roll: float = 0.05
    scale: float = 1.4
    view_scale: tuple[float, float] = (0.7, 1.4)
    translation: float = 0.25


@dataclass
class Cameras:
    """Pinhole cameras of [S] scenes with V views. intrinsics: [S, V, 3, 3]; rotation: [S, V, 3, 3] and
    translation: [S, V, 3] are cam_from_world."""

    intrinsics: Tensor
    rotation: Tensor
    translation: Tensor


@dataclass
class Scenes:
    """relief: [S, 1, SIDE, SIDE], heights in photo pixels over the whole stack's square of `extent` pixels, zero mean;
    photos: indices into the stack, int64 [S]; cameras of V views each."""

    relief: Tensor
    extent: int
    photos: Tensor
    cameras: Cameras


@dataclass
class RenderedViews:
    """images: [S, V, H, W] in [0, 1]; surface: visible world points, [S, V, H, W, 3]; valid: bool [S, V, H, W]."""

    images: Tensor
    surface: Tensor
    valid: Tensor


def random_scenes(
    photos: PhotoStack,
    index: Tensor,
    views: int,
    shape: tuple[int, int],
    settings: ReliefSettings,
    generator: torch.Generator,
) -> Scenes:
    """Scenes of photos[index] int64 [S] with `views` cameras each, for views of shape (height, width).

    Random numbers are drawn on the generator's device: on the CPU a seed means the same for every device, on a GPU
    nothing waits for the CPU.
    """
    place = generator.device
    sizes = photos.sizes.to(place)[index.to(place)]
    low, high = settings.view_scale
    max_scale = (sizes / torch.tensor([shape[1], shape[0]], device=place)).amin(dim=1)
    scale = (low + (high - low) * _uniform(generator, len(index))).minimum(max_scale)
    relief = _random_relief(scale * shape[1], settings, generator)
    cameras = _random_cameras(sizes, scale, views, shape, settings, generator)
    device = photos.pixels.device
    moved = Cameras(
        *(part.to(device) for part in (cameras.intrinsics, cameras.rotation, cameras.translation))
    )
    return Scenes(relief.to(device), photos.pixels.shape[-1], index.to(device), moved)


def render(photos: PhotoStack, scenes: Scenes, shape: tuple[int, int]) -> RenderedViews:
    """The cameras' images, each pixel the mean over its area to first order (see `_texture`)."""
    height, width = shape
    count, views = scenes.cameras.translation.shape[:2]
    origin, direction = _rays(scenes.cameras, shape)
    surface = _march(scenes.relief, scenes.extent, origin, direction)
    surface = surface.view(count, views, height, width, 3)
    images = _texture(photos, scenes.photos, surface[..., :2])
    limits = photos.sizes[scenes.photos][:, None, None, None, :] - 1
    xy = surface[..., :2]
    valid = ((xy >= 0) & (xy <= limits)).all(dim=-1)
    return RenderedViews(images * valid, surface, valid)


def project(cameras: Cameras, points: Tensor) -> tuple[Tensor, Tensor]:
    """World points [S, V, N, 3] as pixels [S, V, N, 2] of each scene's views, and their depths [S, V, N]."""
    local = points @ cameras.rotation.transpose(-1, -2) + cameras.translation[:, :, None]
    depth = local[..., 2].clamp(min=1e-3)
    homogeneous = local @ cameras.intrinsics.transpose(-1, -2)
    return homogeneous[..., :2] / depth[..., None], depth


def _random_relief(visible: Tensor, settings: ReliefSettings, generator: torch.Generator) -> Tensor:
    """Smooth hills and a few steps, [S, 1, SIDE, SIDE]; visible: width of a view, photo pixels [S]."""
    count = len(visible)
    place = generator.device
    relief = torch.zeros(count, 1, 64, 64, device=place)
    for cells, height in ((3, 1.0), (6, 0.5), (12, 0.15)):
        noise = torch.randn(count, 1, cells, cells, generator=generator, device=place)
        relief += height * F.interpolate(noise, size=(64, 64), mode="bicubic", align_corners=True)
    rows = torch.arange(64.0, device=place)
    for _ in range(3):  # raised blocks, whose edges occlude what is behind
        box = _uniform(generator, count, 5)
        present = (box[:, 4] < 0.35).float() * 1.5
        inside_y = (rows - 64 * box[:, :1]).abs() < 4 + 10 * box[:, 2:3]
        inside_x = (rows - 64 * box[:, 1:2]).abs() < 4 + 10 * box[:, 3:4]
        relief[:, 0] -= present[:, None, None] * (inside_y[:, :, None] & inside_x[:, None, :]).float()
    relief = relief - relief.mean(dim=(2, 3), keepdim=True)
    relief = relief / relief.abs().amax(dim=(2, 3), keepdim=True)
    strength = _uniform(generator, count, 2)
    amount = settings.depth * strength[:, 0] * (strength[:, 1] >= settings.flat)
    relief = relief * (0.5 * amount * visible)[:, None, None, None]
    return F.interpolate(relief, size=(SIDE, SIDE), mode="bilinear", align_corners=True)


def _random_cameras(
    sizes: Tensor,
    scale: Tensor,
    views: int,
    shape: tuple[int, int],
    settings: ReliefSettings,
    generator: torch.Generator,
) -> Cameras:
    count = len(sizes)
    height, width = shape
    signed = 2 * _uniform(generator, count, views, 8) - 1
    room = (sizes - scale[:, None] * torch.tensor([width, height], device=sizes.device)).clamp(min=0)
    middle = sizes / 2 + 0.5 * room * signed[:, 0, 6:8]  # shared by the scene's views
    target = middle[:, None] + signed[..., 0:2] * settings.translation * (scale * width)[:, None, None]
    # Square root: views far from the normal occur in proportion to their solid angle.
    tilt = math.radians(settings.tilt) * signed[..., 2].abs().sqrt()
    azimuth = math.pi * signed[..., 3]
    free = _uniform(generator, count, views) < settings.any_roll
    roll = torch.where(free, math.pi * signed[..., 4], math.radians(settings.roll) * signed[..., 4])
    focal = width * torch.exp(0.35 * signed[..., 5]) * 1.2
    zoom = settings.scale ** (2 * _uniform(generator, count, views) - 1)
    distance = focal * scale[:, None] * zoom
    axis = torch.stack([tilt.sin() * azimuth.cos(), tilt.sin() * azimuth.sin(), tilt.cos()], dim=-1)
    rotation = _roll(roll) @ _looking_along(axis)
    center = F.pad(target, (0, 1)) - distance[..., None] * axis
    translation = -(rotation @ center[..., None])[..., 0]
    intrinsics = torch.zeros(count, views, 3, 3, device=sizes.device)
    intrinsics[..., 0, 0] = intrinsics[..., 1, 1] = focal
    intrinsics[..., 0, 2], intrinsics[..., 1, 2] = (width - 1) / 2, (height - 1) / 2
    intrinsics[..., 2, 2] = 1
    return Cameras(intrinsics, rotation, translation)


def _looking_along(axis: Tensor) -> Tensor:
    """The smallest rotation [..., 3, 3] that takes unit vectors [..., 3] (z > 0) to the z axis."""
    x, y, z = axis.unbind(-1)
    k = 1 / (1 + z)
    rows = [
        torch.stack([1 - k * x * x, -k * x * y, -x], -1),
        torch.stack([-k * x * y, 1 - k * y * y, -y], -1),
        torch.stack([x, y, z], -1),
    ]
    return torch.stack(rows, -2)


def _roll(angle: Tensor) -> Tensor:
    cos, sin, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    rows = [
        torch.stack([cos, -sin, zero], -1),
        torch.stack([sin, cos, zero], -1),
        torch.stack([zero, zero, one], -1),
    ]
    return torch.stack(rows, -2)


def _rays(cameras: Cameras, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Camera centers [S, V, 1, 3] and directions [S, V, H W, 3], scaled to z = 1."""
    pixels = F.pad(pixel_grid(*shape, cameras.rotation.device).reshape(-1, 2), (0, 1), value=1.0)
    local = pixels @ torch.linalg.inv(cameras.intrinsics).transpose(-1, -2)
    direction = local @ cameras.rotation  # R^T d as a row
    depth = direction[..., 2:]
    direction = direction / torch.where(depth > 0.05, depth, torch.full_like(depth, 0.05))
    center = -(cameras.translation[..., None, :] @ cameras.rotation)
    return center, direction


def _march(relief: Tensor, extent: int, origin: Tensor, direction: Tensor) -> Tensor:
    """First intersections [S, V, H W, 3] of rays with the relief [S, 1, SIDE, SIDE].

    On a CPU one view at a time: its working set fits into the processor's cache.
    """
    scenes, views = origin.shape[:2]
    if relief.device.type != "cpu":
        every = relief.repeat_interleave(views, dim=0)
        points = _march_views(every, extent, origin.flatten(0, 1)[:, 0], direction.flatten(0, 1))
        return points.unflatten(0, (scenes, views))
    return torch.stack(
        [
            torch.cat(
                [
                    _march_views(relief[s : s + 1], extent, origin[s, v], direction[s, v : v + 1])
                    for v in range(views)
                ]
            )
            for s in range(scenes)
        ]
    )


def _march_views(relief: Tensor, extent: int, origin: Tensor, direction: Tensor) -> Tensor:
    """First intersections [V, R, 3] of rays from origins [V, 3] along directions [V, R, 3] (z of 1) with the reliefs
    [V, 1, SIDE, SIDE] of the views."""
    top, bottom = relief.amin(dim=(1, 2, 3))[:, None], relief.amax(dim=(1, 2, 3))[:, None]
    slope = direction[..., :2]
    start = origin[:, None, :2] - slope * origin[:, None, 2:]  # where the rays meet z = 0

    def gap(z: Tensor) -> Tensor:
        """The depth of the rays below the surface at heights z [V, R]; negative above it."""
        grid = (start + slope * z[..., None]) * (2 / (extent - 1)) - 1
        height = F.grid_sample(relief, grid[:, None], padding_mode="border", align_corners=True)
        return z - height[:, 0, 0]

    if len(relief) == 1 and float(bottom - top) < 0.1:
        return F.pad(start, (0, 1))
    step = (bottom - top) / LEVELS
    above = torch.ones_like(start[..., 0])
    passed = torch.zeros_like(above)
    for level in range(1, LEVELS):
        above = above * (gap((top + step * level).expand_as(above)) < 0)
        passed += above
    lower, upper = top + step * passed, top + step * (passed + 1)
    lower_gap, upper_gap = gap(lower), gap(upper)
    z = upper
    for _ in range(3):  # regula falsi between the last two levels
        z = lower + (upper - lower) * (-lower_gap / (upper_gap - lower_gap).clamp(min=1e-9)).clamp(0, 1)
        value = gap(z)
        below = value >= 0
        upper, upper_gap = torch.where(below, z, upper), torch.where(below, value, upper_gap)
        lower, lower_gap = torch.where(below, lower, z), torch.where(below, lower_gap, value)
    return torch.cat([start + slope * z[..., None], z[..., None]], dim=-1)


def _uniform(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.rand(shape, generator=generator, device=generator.device)


def _texture(photos: PhotoStack, index: Tensor, xy: Tensor) -> Tensor:
    """The photos at xy [S, V, H, W, 2]: [S, V, H, W], the mean of four samples distributed over each pixel."""
    count, views, height, width = xy.shape[:4]
    images = photos.pixels[index].unsqueeze(1).float() / 255
    side = images.shape[-1]
    grid = xy.permute(0, 1, 4, 2, 3).reshape(count * views, 2, height, width)
    fine = F.interpolate(grid, scale_factor=2, mode="bilinear", align_corners=False)
    fine = fine.view(count, views, 2, 2 * height, 2 * width).permute(0, 1, 3, 4, 2)
    fine = fine.reshape(count, views * 2 * height, 2 * width, 2) * (2 / (side - 1)) - 1
    sampled = F.grid_sample(images, fine, align_corners=True)
    return F.avg_pool2d(sampled.view(count * views, 1, 2 * height, 2 * width), 2).view(
        count, views, height, width
    )
