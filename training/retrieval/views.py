"""Training data of the pair selection network: groups of views with the overlap of each pair.

A group shows one rendered scene, or parts of one photo through homographies; different groups never overlap. The hard
cases are within a group: the other side of an object, another part of the same shelf. Views are square, so that some
can be rotated, as in photos taken downwards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor

from ..photometric import change_light
from ..renders import RenderedScene, correspondences, sample_depth

SIDE = 256  # pixels, of the rendered views that are kept
GRID = 16  # points along a side of a part of a photo, for counting overlap
CORNERS, QUALITY, SPACE = 300, 0.01, 4  # of a rendered view: the points for counting overlap
APART = 60.0  # degrees: points seen from directions farther apart are not shared
PART = (0.22, 0.65)  # of a photo shown in a view: its side relative to the largest that fits
TURN, BEND = 15.0, 0.12  # degrees; displacement of corners, in sides of the view
GRAY, LYING = (
    0.2,
    0.4,
)  # share of groups without color, and of those with half of the views rotated by quarter turns


@dataclass
class Views:
    """images: uint8 RGB [V, H, W, 3]; overlap: float64 [V, V], the geometric mean of the two shares."""

    images: np.ndarray
    overlap: np.ndarray


@dataclass
class Batch:
    """images: float32 [B, 3, H, W] in [0, 1]; overlap: float32 [B, B], zero between groups."""

    images: Tensor
    overlap: Tensor


def photo_views(rng: np.random.Generator, photo: np.ndarray, views: int, side: int) -> Views:
    """Parts of a photo, uint8 RGB [H, W, 3], seen from different sides, side x side pixels each."""
    frame = np.array([[0, 0], [side - 1, 0], [side - 1, side - 1], [0, side - 1]], np.float32)
    homographies = []
    for _ in range(views):
        homographies.append(cv2.getPerspectiveTransform(frame, _part(rng, photo.shape[1], photo.shape[0])))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    images = [
        cv2.warpPerspective(photo, to_photo, (side, side), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
        for to_photo in homographies
    ]
    x, y = np.meshgrid(*2 * [(np.arange(GRID) + 0.5) / GRID * side])
    points = np.stack([x.ravel(), y.ravel()], axis=1)[:, None]
    shares = np.zeros((views, views))
    for first, to_photo in enumerate(homographies):
        for second, other in enumerate(homographies):
            there = cv2.perspectiveTransform(points, np.linalg.inv(other) @ to_photo)[:, 0]
            shares[first, second] = ((there >= 0) & (there < side)).all(axis=1).mean()
    return Views(np.stack(images), np.sqrt(shares * shares.T))


def _part(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Corners float32 [4, 2] of a part of a photo; the area outside the photo is mirrored."""
    across = rng.uniform(*PART) * min(width, height)
    limit = np.array([width, height]) - across / 2
    middle = rng.uniform(np.minimum(across / 2, limit), np.maximum(across / 2, limit))
    angle = np.radians(rng.uniform(-TURN, TURN))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * across / 2
    corners = corners + rng.uniform(-BEND, BEND, (4, 2)) * across
    return (corners @ turn.T + middle).astype(np.float32)


def scene_views(scene: RenderedScene) -> Views:
    """All views of a rendered scene, cropped to squares."""
    height, width = scene.depths.shape[1:]
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    shift = np.array([[0, 0, left], [0, 0, top], [0, 0, 0]], np.float32)
    rows, columns = slice(top, top + side), slice(left, left + side)
    square = RenderedScene(
        scene.name,
        scene.images[:, rows, columns],
        scene.depths[:, rows, columns],
        scene.intrinsics - shift,
        scene.cam_from_world,
    )
    shares = corner_overlaps(square)
    images = [cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for image in square.images]
    return Views(np.stack(images), np.sqrt(shares * shares.T))


def corner_overlaps(scene: RenderedScene) -> np.ndarray:
    """Shares [V, V] of the corners (Shi and Tomasi, CVPR 1994) of view i that view j sees too, from directions at most
    APART degrees apart: what could be matched, unlike plain surfaces. Each view shares all with itself."""
    count = len(scene.images)
    depths, lens, poses = (
        torch.from_numpy(values).double() for values in (scene.depths, scene.intrinsics, scene.cam_from_world)
    )
    centers = -(poses[:, :, :3].mT @ poses[:, :, 3:])[..., 0]
    shares = np.eye(count)
    for first, image in enumerate(scene.images):
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        found = cv2.goodFeaturesToTrack(gray, CORNERS, QUALITY, SPACE)
        if found is None:
            continue
        xy = torch.from_numpy(found.reshape(1, -1, 2)).double()
        depth, usable = sample_depth(depths[first : first + 1], xy)
        if not usable.any():
            continue
        xy, depth = xy[:, usable[0]], depth[:, usable[0]]
        own = [values[first].expand_as(values) for values in (depths, lens, poses)]
        _, visible = correspondences(own[0], own[1], own[2], depths, lens, poses, xy.expand(count, -1, -1))
        rays = torch.cat([xy, torch.ones_like(xy[..., :1])], dim=-1) @ torch.linalg.inv(lens[first]).mT
        points = (rays[0] * depth[0, :, None]) @ poses[first, :, :3] + centers[first]
        towards = F.normalize(centers[:, None] - points, dim=-1)
        cosine = (towards * towards[first]).sum(dim=-1)
        shared = visible & (cosine > math.cos(math.radians(APART)))
        others = np.arange(count) != first
        shares[first, others] = shared.double().mean(dim=1).numpy()[others]
    return shares


class Groups:
    """Batches for training: a group of each kind in the configuration's `views`."""

    def __init__(
        self,
        photos: Sequence[np.ndarray],
        chances: np.ndarray,
        scenes: dict[str, list[Views]],
        config: dict[str, Any],
    ) -> None:
        """photos are drawn with probabilities `chances`; scenes: by kind."""
        self.photos, self.chances, self.scenes = photos, chances / chances.sum(), scenes
        self.config = config

    def batch(self, rng: np.random.Generator) -> Batch:
        side = int(rng.choice(np.array(self.config["side"])))
        groups = [self._group(rng, kind, count, side) for kind, count in self.config["views"].items()]
        images = torch.from_numpy(np.concatenate([group.images for group in groups]))
        images = vary(images.permute(0, 3, 1, 2).float() / 255, self.config["light"], rng)
        overlap = torch.block_diag(*[torch.from_numpy(group.overlap).float() for group in groups])
        return Batch(images, overlap)

    def _group(self, rng: np.random.Generator, kind: str, count: int, side: int) -> Views:
        if kind == "photos":
            photo = self.photos[int(rng.choice(len(self.photos), p=self.chances))]
            views = photo_views(rng, photo, count, side)
        else:
            scene = self.scenes[kind][int(rng.integers(len(self.scenes[kind])))]
            chosen = rng.permutation(len(scene.images))[:count]
            images = [cv2.resize(scene.images[i], (side, side), interpolation=cv2.INTER_AREA) for i in chosen]
            views = Views(np.stack(images), scene.overlap[np.ix_(chosen, chosen)])
        if rng.random() < 0.5:
            views.images = views.images[:, :, ::-1].copy()
        if rng.random() < LYING:
            views = lying(views, rng)
        if rng.random() < GRAY:
            views.images = np.repeat(views.images.mean(axis=3, keepdims=True).astype(np.uint8), 3, axis=3)
        return views


def lying(views: Views, rng: np.random.Generator) -> Views:
    """The same with about half of the images rotated by one to three quarter turns."""
    turns = rng.integers(0, 4, len(views.images)) * (rng.random(len(views.images)) < 0.67)
    images = [np.rot90(image, turn) for image, turn in zip(views.images, turns, strict=True)]
    return Views(np.stack(images), views.overlap)


def vary(images: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """RGB images [B, 3, H, W] in [0, 1] in other light, different for each: brightness as for the other networks, and
    another tint and color intensity."""
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    gray = images.mean(dim=1, keepdim=True)
    changed = change_light(gray, strength, generator)
    color = (images - gray) * torch.exp(
        0.5 * strength * torch.randn(len(images), 1, 1, 1, generator=generator)
    )
    tint = torch.exp(0.08 * strength * torch.randn(len(images), 3, 1, 1, generator=generator))
    gain = (changed / gray.clamp_min(0.02)).clamp(max=3)
    return ((changed + color * gain) * tint).clamp(0, 1)
