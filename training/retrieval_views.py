"""What the pair selection network learns from: groups of views with the share of the surface that each two share.

A group shows one rendered scene, or parts of one photo through homographies; what different groups show never
overlaps. A photo's parts that do not overlap are the hard cases: the same shelf, the same cloth, another place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from .photometric import change_light
from .renders import RenderedScene, overlaps

LONGEST = 256  # pixels, of the rendered views that are kept
GRID = 16  # points along a side of a view, by which overlap is counted
PART = (0.3, 0.85)  # of a photo that a view shows: its side by the largest that fits
TURN, BEND = 15.0, 0.12  # degrees; how far corners move, in sides of the view
GREY = 0.15  # share of groups without colour


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


def photo_views(rng: np.random.Generator, photo: np.ndarray, views: int, size: tuple[int, int]) -> Views:
    """Parts of a photo, uint8 RGB [H, W, 3], seen from different sides. size: (width, height)."""
    width, height = size
    frame = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], np.float32)
    homographies = []
    for _ in range(views):
        quadrangle = _part(rng, photo.shape[1], photo.shape[0], width / height)
        homographies.append(cv2.getPerspectiveTransform(frame, quadrangle))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    images = [
        cv2.warpPerspective(photo, to_photo, size, flags=flags, borderMode=cv2.BORDER_REFLECT_101)
        for to_photo in homographies
    ]
    x, y = np.meshgrid((np.arange(GRID) + 0.5) / GRID * width, (np.arange(GRID) + 0.5) / GRID * height)
    points = np.stack([x.ravel(), y.ravel()], axis=1)[:, None]
    shares = np.zeros((views, views))
    for first, to_photo in enumerate(homographies):
        for second, other in enumerate(homographies):
            there = cv2.perspectiveTransform(points, np.linalg.inv(other) @ to_photo)[:, 0]
            shares[first, second] = ((there >= 0) & (there < size)).all(axis=1).mean()
    return Views(np.stack(images), np.sqrt(shares * shares.T))


def _part(rng: np.random.Generator, width: int, height: int, aspect: float) -> np.ndarray:
    """Corners float32 [4, 2] of a part of a photo; what lies outside the photo is mirrored."""
    across = rng.uniform(*PART) * min(width, height * aspect)
    half = np.array([across, across / aspect]) / 2
    limit = np.array([width, height]) - half
    middle = rng.uniform(np.minimum(half, limit), np.maximum(half, limit))
    angle = np.radians(rng.uniform(-TURN, TURN))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    corners = corners + rng.uniform(-BEND, BEND, (4, 2)) * across
    return (corners @ turn.T + middle).astype(np.float32)


def scene_views(scene: RenderedScene, upright: bool) -> Views:
    """All views of a rendered scene, LONGEST pixels long; upright: their middle parts, turned from 4:3 to 3:4."""
    height, width = scene.depths.shape[1:]
    if upright:
        left, across = (width - height * 3 // 4) // 2, height * 3 // 4
        part = slice(left, left + across)
        shift = np.zeros((3, 3), np.float32)
        shift[0, 2] = left
        scene = RenderedScene(
            scene.name,
            scene.images[:, :, part],
            scene.depths[:, :, part],
            scene.intrinsics - shift,
            scene.cam_from_world,
        )
    shares = overlaps(scene)
    images = [
        cv2.resize(image, _size(upright, LONGEST), interpolation=cv2.INTER_AREA) for image in scene.images
    ]
    return Views(np.stack(images), np.sqrt(shares * shares.T))


def _size(upright: bool, longest: int) -> tuple[int, int]:
    return (longest * 3 // 4, longest) if upright else (longest, longest * 3 // 4)


class Groups:
    """Batches for training, of photos' parts and of scenes. scenes: their views, lying and upright."""

    def __init__(
        self,
        photos: Sequence[np.ndarray],
        chances: np.ndarray,
        scenes: dict[bool, list[Views]],
        config: dict[str, Any],
    ) -> None:
        self.photos, self.chances, self.config = photos, chances / chances.sum(), config
        self.scenes = scenes

    def batch(self, rng: np.random.Generator) -> Batch:
        config = self.config
        upright = bool(rng.random() < 0.5)
        longest = int(rng.choice(np.array(config["longest"])))
        size = _size(upright, longest)
        groups = [self._group(rng, upright, size) for _ in range(config["groups"])]
        images = torch.from_numpy(np.concatenate([group.images for group in groups]))
        images = vary(images.permute(0, 3, 1, 2).float() / 255, config["light"], rng)
        overlap = torch.block_diag(*[torch.from_numpy(group.overlap).float() for group in groups])
        return Batch(images, overlap)

    def _group(self, rng: np.random.Generator, upright: bool, size: tuple[int, int]) -> Views:
        count = self.config["views"]
        if rng.random() < self.config["renders"]:
            scenes = self.scenes[upright]
            scene = scenes[int(rng.integers(len(scenes)))]
            chosen = rng.permutation(len(scene.images))[:count]
            images = [cv2.resize(scene.images[i], size, interpolation=cv2.INTER_AREA) for i in chosen]
            views = Views(np.stack(images), scene.overlap[np.ix_(chosen, chosen)])
        else:
            photo = self.photos[int(rng.choice(len(self.photos), p=self.chances))]
            views = photo_views(rng, photo, count, size)
        if rng.random() < 0.5:
            views.images = views.images[:, :, ::-1].copy()
        if rng.random() < GREY:
            views.images = np.repeat(views.images.mean(axis=3, keepdims=True).astype(np.uint8), 3, axis=3)
        return views


def vary(images: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """RGB images [B, 3, H, W] in [0, 1] in other light, each in its own: brightness as for the other networks,
    and another tint and strength of colour."""
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    grey = images.mean(dim=1, keepdim=True)
    changed = change_light(grey, strength, generator)
    colour = (images - grey) * torch.exp(
        0.5 * strength * torch.randn(len(images), 1, 1, 1, generator=generator)
    )
    tint = torch.exp(0.08 * strength * torch.randn(len(images), 3, 1, 1, generator=generator))
    gain = (changed / grey.clamp_min(0.02)).clamp(max=3)
    return ((changed + colour * gain) * tint).clamp(0, 1)
