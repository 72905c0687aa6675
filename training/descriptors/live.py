"""Views of photos for which the teacher is run during training: feasible on a GPU, not on a CPU."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from blender_recon3d.pipeline.models.superpoint import SuperPoint

from ..photos import PhotoStack, gray, read_all, sampling_weights, stack_color
from ..superglue.data import detect
from ..warps import WarpSettings, random_views, sample_views
from .cache import photo_lists
from .teacher import Teacher

VIEWS = WarpSettings(
    crop_scale=(0.7, 1.6),
    rotation=30,
    any_rotation=0,
    scale=1.3,
    stretch=1.15,
    perspective=0.12,
    translation=0.1,
)


@dataclass
class Views:
    """images: gray [B, 1, H, W] in [0, 1]; xy: [B, N, 2], first pixel center (0, 0); descriptors: the teacher's there,
    [B, N, 128]."""

    images: Tensor
    xy: Tensor
    descriptors: Tensor


class LiveViews:
    """Draws views of the training photos."""

    def __init__(self, data: Path, superpoint: SuperPoint, bf16: bool) -> None:
        self.superpoint, self.bf16 = superpoint, bf16
        self.device = superpoint.conv1a.weight.device
        self.teacher = Teacher(self.device)
        lists = photo_lists(data)
        self.photos: PhotoStack = stack_color(read_all([*lists["captures"], *lists["photos"]]), self.device)
        self.captures = len(lists["captures"])
        names = [f"{path.parent.name.replace('_', '-')}_" for path in lists["captures"]]
        names += [path.name for path in lists["photos"]]
        self.weights = sampling_weights(names)

    def draw(self, step: int, config: dict[str, Any], generator: torch.Generator) -> Views:
        """config["batch"] views, of captures with probability config["captures"]."""
        shape, count = tuple(config["shape"]), config["batch"]
        index = self._pick(count, config["captures"], generator).to(self.device)
        homography = random_views(self.photos.sizes[index], shape, VIEWS, generator).to(self.device)
        rgb, valid = sample_views(self.photos, index, homography, shape)
        images = gray(rgb)
        xy, _, _ = detect(self.superpoint, images, valid, config["keypoints"], generator, self.bf16)
        anywhere = torch.rand(count, config["random"], 2, generator=generator, device=generator.device).to(
            self.device
        ) * torch.tensor([shape[1] - 1.0, shape[0] - 1.0], device=self.device)
        xy = torch.cat([xy, anywhere], dim=1)
        return Views(images, xy, self.teacher.describe_all(rgb, xy))

    def _pick(self, count: int, captures: float, generator: torch.Generator) -> Tensor:
        """Indices int64 [count] of photos; within both lists every kind is drawn about equally often."""
        weights = self.weights.to(generator.device, copy=True)
        for part, share in ((weights[: self.captures], captures), (weights[self.captures :], 1 - captures)):
            part *= share / part.sum().clamp(min=1e-9)
        return torch.multinomial(weights, count, generator=generator)
