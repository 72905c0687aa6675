"""Pairs of real photos, whose true matches are unknown: LightGlue on ALIKED's descriptors at our keypoints provides
them, and nothing is learned where it is uncertain."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from blender_recon3d.pipeline.models.superglue import KeypointSet, normalize_keypoints
from blender_recon3d.pipeline.models.superpoint import SuperPoint

from ..descriptors.teacher import LightGlueMatcher, Teacher
from ..photometric import change_light
from ..photos import PhotoStack, gray, stack_color
from ..warps import WarpSettings, random_views, sample_views
from .data import PairBatch, detect

MATCH = 0.3  # minimum probability of a match that is learned
ALONE = 0.9  # minimum probability of having no match that is learned
FAR = 12  # photos of a capture farther apart than this in the order of their names are rarely paired
VIEWS = WarpSettings(
    crop_scale=(0.8, 1.6),
    rotation=15,
    any_rotation=0,
    scale=1.15,
    stretch=1.1,
    perspective=0.1,
    translation=0.1,
)


class CapturePairs:
    """Draws pairs of photos of one capture and runs the teacher on them.

    folders: of the captures, with their photos. Raises ValueError for a photo that cannot be read.
    """

    def __init__(self, folders: list[Path], superpoint: SuperPoint, bf16: bool) -> None:
        self.superpoint, self.bf16 = superpoint, bf16
        self.device = superpoint.conv1a.weight.device
        self.teacher = Teacher(self.device)
        self.matcher = LightGlueMatcher(device=self.device)
        images = []
        self.first_of, self.sizes = [], []
        for folder in folders:
            paths = sorted(path for path in folder.iterdir() if path.suffix in (".jpg", ".webp"))
            self.first_of.append(len(images))
            self.sizes.append(len(paths))
            images += [_read(path) for path in paths]
        self.photos: PhotoStack = stack_color(images, self.device)
        self.weights = torch.tensor(self.sizes, dtype=torch.float64).sqrt()

    def draw(
        self, pairs: int, shape: tuple[int, int], count: int, light: float, generator: torch.Generator
    ) -> PairBatch:
        """`pairs` pairs of views of shape (height, width) with `count` keypoints each."""
        index = torch.tensor([self._pair(generator) for _ in range(pairs)]).T.flatten().to(self.device)
        homography = random_views(self.photos.sizes[index], shape, VIEWS, generator).to(self.device)
        rgb, valid = sample_views(self.photos, index, homography, shape)
        lit = change_light(gray(rgb), light, generator)
        xy, scores, descriptors = detect(self.superpoint, lit, valid, count, generator, self.bf16)
        sides = []
        size = (shape[1], shape[0])
        for side in (slice(0, pairs), slice(pairs, None)):
            sides.append(KeypointSet(normalize_keypoints(xy[side], size), scores[side], descriptors[side]))
        taught = self.teacher.describe_all(rgb, xy)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            answer = self.matcher.assignment(xy[:pairs], taught[:pairs], xy[pairs:], taught[pairs:], shape)
        return PairBatch(sides[0], sides[1], *targets(answer))

    def _pair(self, generator: torch.Generator) -> tuple[int, int]:
        numbers = torch.rand(3, generator=generator, device=generator.device).tolist()
        chances = (self.weights / self.weights.sum()).cumsum(0)
        capture = min(int(torch.searchsorted(chances, numbers[0])), len(self.sizes) - 1)
        photos = self.sizes[capture]
        first = int(numbers[1] * photos) % photos
        step = 1 + int(numbers[2] ** 2 * min(photos - 1, FAR))
        return self.first_of[capture] + first, self.first_of[capture] + (first + step) % photos


def targets(assignment: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Targets from logarithms of probabilities [P, M + 1, N + 1]: matches [P, M, N], weighted by the teacher's
    confidence, and [P, M] and [P, N], 1 where a keypoint has no match."""
    inner = assignment[:, :-1, :-1].exp()
    probability, best = inner.max(dim=2)
    index = torch.arange(inner.shape[1], device=inner.device)
    mutual = (inner.argmax(dim=1).gather(1, best) == index) & (probability > MATCH)
    matches = torch.zeros_like(inner).scatter_(2, best[..., None], (probability * mutual)[..., None])
    first = (assignment[:, :-1, -1].exp() > ALONE) & (probability < 1 - ALONE)
    second = (assignment[:, -1, :-1].exp() > ALONE) & (inner.amax(dim=1) < 1 - ALONE)
    return matches, first.float(), second.float()


def _read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path} cannot be read")
    rgb: np.ndarray = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return rgb
