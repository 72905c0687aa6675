"""The training photographs: read once, split once, packed into one tensor."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from blender_recon3d.pipeline.photos.image_files import read_rgb

HELD_OUT_EVERY = 20  # photos; the first of every twenty, by name, is never used for training
LONGEST = 640  # pixels, of a photo in a stack


@dataclass
class Photos:
    """RGB photos, uint8 [H, W, 3] each, and their file names, in the order of the names."""

    train: list[np.ndarray]
    held_out: list[np.ndarray]
    train_names: list[str]
    held_out_names: list[str]


def load_photos(data: Path) -> Photos:
    """All photos in `data`/train/photos. Raises FileNotFoundError if there are none, ValueError naming the file if one
    cannot be read."""
    paths = _paths(data)
    images = read_all(paths)
    held_out = [index % HELD_OUT_EVERY == 0 for index in range(len(paths))]
    names = [path.name for path in paths]
    return Photos(
        [image for image, held in zip(images, held_out, strict=True) if not held],
        [image for image, held in zip(images, held_out, strict=True) if held],
        [name for name, held in zip(names, held_out, strict=True) if not held],
        [name for name, held in zip(names, held_out, strict=True) if held],
    )


def load_held_out(data: Path) -> list[np.ndarray]:
    """Only the held-out photos, as in `load_photos`; raises the same errors."""
    return read_all(_paths(data)[::HELD_OUT_EVERY])


def sampling_weights(names: list[str]) -> Tensor:
    """Probability of each photo, float64 [N], so that kinds of photos are balanced.

    Forty in a hundred photos show clothing; the kind of a photo is the start of its name.
    """
    kinds = [name.split("_")[0] for name in names]
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    # The square root is a compromise between equal photos and equal kinds, so that small kinds are not overused.
    return torch.tensor([counts[kind] ** -0.5 for kind in kinds], dtype=torch.float64)


@dataclass
class PhotoStack:
    """Photos on one device. pixels: uint8 [N, S, S], gray, or [N, 3, S, S], RGB; each in the upper left corner, padded
    with zeros; sizes: float32 [N, 2], width and height."""

    pixels: Tensor
    sizes: Tensor

    def __len__(self) -> int:
        return len(self.pixels)


def stack_gray(images: list[np.ndarray], device: torch.device) -> PhotoStack:
    """Gray versions of RGB photos in one tensor; photos longer than LONGEST pixels are cropped to their middle."""
    images = [_middle(image) for image in images]
    side = max(max(image.shape[:2]) for image in images)
    pixels = np.zeros((len(images), side, side), np.uint8)
    for index, image in enumerate(images):
        height, width = image.shape[:2]
        pixels[index, :height, :width] = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    sizes = torch.tensor([[image.shape[1], image.shape[0]] for image in images], dtype=torch.float32)
    return PhotoStack(torch.from_numpy(pixels).to(device), sizes.to(device))


def stack_color(images: list[np.ndarray], device: torch.device) -> PhotoStack:
    """RGB photos in one tensor; photos longer than LONGEST pixels are cropped to their middle."""
    images = [_middle(image) for image in images]
    side = max(max(image.shape[:2]) for image in images)
    pixels = np.zeros((len(images), 3, side, side), np.uint8)
    for index, image in enumerate(images):
        height, width = image.shape[:2]
        pixels[index, :, :height, :width] = image.transpose(2, 0, 1)
    sizes = torch.tensor([[image.shape[1], image.shape[0]] for image in images], dtype=torch.float32)
    return PhotoStack(torch.from_numpy(pixels).to(device), sizes.to(device))


def gray(rgb: Tensor) -> Tensor:
    """[..., 1, H, W] from [..., 3, H, W], converted as for SuperPoint."""
    weights = rgb.new_tensor([0.299, 0.587, 0.114])
    return (rgb * weights[:, None, None]).sum(dim=-3, keepdim=True)


def _middle(image: np.ndarray) -> np.ndarray:
    top, left = (max(0, size - LONGEST) // 2 for size in image.shape[:2])
    return image[top : top + LONGEST, left : left + LONGEST]


def _paths(data: Path) -> list[Path]:
    folder = data / "train" / "photos"
    paths = sorted([*folder.glob("*.jpg"), *folder.glob("*.webp")])
    if not paths:
        raise FileNotFoundError(f"no photos in {data / 'train' / 'photos'}")
    return paths


def read_all(paths: list[Path]) -> list[np.ndarray]:
    """RGB photos uint8 [H, W, 3]; ValueError naming the one that cannot be read."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(_read, paths))


def _read(path: Path) -> np.ndarray:
    try:
        return read_rgb(path)
    except OSError as error:
        raise ValueError(f"{path} cannot be read") from error
