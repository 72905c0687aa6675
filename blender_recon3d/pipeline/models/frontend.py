"""The learned front-end as used by the stages: photos in numpy in, keypoints and matches in numpy out.

All interfaces use COLMAP's pixels of the full photo (first pixel center (0.5, 0.5)); devices, batches, resizing and
padding are internal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from . import weights as weights_of
from .aliked_precision import fastest_descriptors, load_descriptors
from .arithmetic import Precision
from .devices import select_device
from .efficientnet import DESCRIPTOR_SIZE, EfficientNetB0, prepare_image
from .matcher import Encoded, Matcher
from .parallel import in_parallel
from .precision import fastest_superpoint, load_superpoint
from .superpoint import CELL, Keypoints, keypoints_of, to_full_image

__all__ = [
    "AlikedFeatureExtractor",
    "Encoded",
    "FeatureExtractor",
    "Features",
    "Matcher",
    "RetrievalEncoder",
    "select_device",
]

# Batch sizes, bounded by the memory of one batch. SuperPoint: about 0.8 kB per pixel in fp32. On a CPU each photo has
# its own core, so its result does not depend on the other photos.
PIXELS_PER_BATCH = {"cpu": 1, "cuda": 2**24, "mps": 2**22}
RETRIEVAL_BATCH = {"cpu": 1, "cuda": 16, "mps": 16}  # photos


@dataclass
class Features:
    """The features of one photo.

    keypoints: float32 [N, 2], x and y in COLMAP's pixels of the full photo; scores: float32 [N], descending;
    descriptors: float32 [N, D], of length 1; image_size: (width, height) of the full photo. turns: all of this refers
    to a copy rotated by this many quarter turns anticlockwise, which the matcher needs.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    descriptors: np.ndarray
    image_size: tuple[int, int]
    turns: int = 0


class FeatureExtractor:
    """SuperPoint on photos.

    weights: "bundled", "official" or a folder. device: as in `select_device`. max_keypoints: the strongest kept per
    photo. max_size: pixels; photos with a longer side are reduced to it for the network. precision: "fp32" or "bf16";
    None for bf16 where it is fast and a self-test finds that it agrees. choice: how keypoints are chosen, see
    `SuperPointSettings`: nms_radius, threshold, border. Raises UserError if there are no weights or no such device.
    """

    def __init__(
        self,
        weights: str,
        device: str = "auto",
        max_keypoints: int = 4096,
        max_size: int = 1600,
        precision: Precision | None = None,
        **choice: Any,
    ) -> None:
        chosen = select_device(device)
        self.max_size = max_size
        self.network = fastest_superpoint(
            load_superpoint(weights, max_keypoints, **choice), chosen, precision
        )
        self.device = self.network.device

    def extract(
        self, images: Sequence[np.ndarray], masks: Sequence[np.ndarray | None] | None = None
    ) -> list[Features]:
        """Features of gray photos, uint8 [H, W] each, of any sizes.

        masks: one per photo or None; uint8 of the photo's shape (another resolution is scaled); no keypoint is found
        where it is 0.
        """
        masks = [None] * len(images) if masks is None else masks
        prepared = [_prepare(image, mask, self.max_size) for image, mask in zip(images, masks, strict=True)]
        batches = list(_batches([item.pixels.shape for item in prepared], self._batch_size))
        results = in_parallel(
            lambda indices: self._run([prepared[index] for index in indices]), batches, self.device
        )
        by_index = {
            index: features
            for indices, several in zip(batches, results, strict=True)
            for index, features in zip(indices, several, strict=True)
        }
        return [by_index[index] for index in range(len(images))]

    def _batch_size(self, shape: Sequence[int]) -> int:
        return max(1, PIXELS_PER_BATCH[self.device.type] // (shape[-1] * shape[-2]))

    def _run(self, batch: list[_Prepared]) -> list[Features]:
        images = torch.stack([item.pixels for item in batch]).to(self.device).float() / 255
        masks = torch.stack([item.mask for item in batch]).to(self.device)
        with torch.inference_mode():
            keypoints, descriptors = self._detect(images, masks, [item.size for item in batch])
        result = []
        for item, points, values in zip(batch, keypoints, descriptors, strict=True):
            full = to_full_image(points.keypoints, item.scale)
            result.append(
                Features(
                    full.float().cpu().numpy(),
                    points.scores.float().cpu().numpy(),
                    values.float().cpu().numpy(),
                    item.image_size,
                )
            )
        return result

    def _detect(
        self, images: Tensor, masks: Tensor, sizes: list[tuple[int, int]]
    ) -> tuple[list[Keypoints], list[Tensor]]:
        """The keypoints of images [B, 1, H, W] in [0, 1], and their descriptors [N, D]."""
        keypoints = self.network(images, masks, sizes)
        return keypoints, [points.descriptors for points in keypoints]


class AlikedFeatureExtractor(FeatureExtractor):
    """SuperPoint's keypoints with descriptors in ALIKED's space. Arguments and errors as in FeatureExtractor."""

    def __init__(self, weights: str, device: str = "auto", max_keypoints: int = 4096, **options: Any) -> None:
        super().__init__(weights, device, max_keypoints, **options)
        plain = load_superpoint(weights, max_keypoints)
        self.described = fastest_descriptors(load_descriptors(weights), plain, self.network)

    def _detect(
        self, images: Tensor, masks: Tensor, sizes: list[tuple[int, int]]
    ) -> tuple[list[Keypoints], list[Tensor]]:
        half = self.network.half(images)
        keypoints = keypoints_of(*self.network.from_half(half), self.network.settings, images, masks, sizes)
        maps = self.described.maps(half.to(self.described.dtype))
        described = [
            self.described.describe(of_photo, points.keypoints)
            for of_photo, points in zip(maps, keypoints, strict=True)
        ]
        return keypoints, described


class RetrievalEncoder:
    """EfficientNet-B0 on photos. Arguments and errors as in FeatureExtractor."""

    def __init__(self, weights: str, device: str = "auto") -> None:
        self.device = select_device(device)
        network = EfficientNetB0()
        network.load_state_dict(weights_of.load("efficientnet_b0", weights))
        self.network = network.eval().to(self.device)

    def encode(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Descriptors float32 [N, 1280] of length 1 of RGB photos, uint8 [H, W, 3] each, of any sizes."""
        prepared = [prepare_image(image) for image in images]
        result = np.zeros((len(images), DESCRIPTOR_SIZE), np.float32)
        size = RETRIEVAL_BATCH[self.device.type]
        batches = list(_batches([image.shape for image in prepared], lambda shape: size))

        def run(indices: list[int]) -> np.ndarray:
            with torch.inference_mode():
                batch = torch.stack([prepared[i] for i in indices]).to(self.device)
                return self.network(batch).cpu().numpy()

        for indices, values in zip(batches, in_parallel(run, batches, self.device), strict=True):
            result[indices] = values
        return result


@dataclass
class _Prepared:
    """A photo as input of SuperPoint. pixels: uint8 [1, h, w], padded to multiples of 8; mask: bool [h, w], False on
    padding and where the user's mask is black; size: (height, width) without the padding; scale: full / resized, x and
    y; image_size: (width, height) of the full photo."""

    pixels: Tensor
    mask: Tensor
    size: tuple[int, int]
    scale: tuple[float, float]
    image_size: tuple[int, int]


def _prepare(image: np.ndarray, mask: np.ndarray | None, max_size: int) -> _Prepared:
    full_height, full_width = image.shape
    shrink = min(1.0, max_size / max(full_height, full_width))
    width, height = max(1, round(full_width * shrink)), max(1, round(full_height * shrink))
    if (width, height) != (full_width, full_height):
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    bottom, right = -height % CELL, -width % CELL
    # A repeated edge gives the least response; the mask excludes what there is.
    pixels = np.pad(image, ((0, bottom), (0, right)), mode="edge")
    usable = np.zeros(pixels.shape, bool)
    usable[:height, :width] = True
    if mask is not None:  # sampled at the exact pixel of the full photo that a keypoint is mapped to
        rows = ((np.arange(height) + 0.5) * (mask.shape[0] / height)).astype(np.int64)
        columns = ((np.arange(width) + 0.5) * (mask.shape[1] / width)).astype(np.int64)
        usable[:height, :width] = mask[np.ix_(rows, columns)] > 0
    return _Prepared(
        torch.from_numpy(pixels)[None],
        torch.from_numpy(usable),
        (height, width),
        (full_width / width, full_height / height),
        (full_width, full_height),
    )


def _batches(shapes: Sequence[Sequence[int]], limit: Callable[[Sequence[int]], int]) -> Iterator[list[int]]:
    """Indices of items of equal shape, at most limit(shape) at a time."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, shape in enumerate(shapes):
        groups.setdefault(tuple(shape), []).append(index)
    for shape, indices in groups.items():
        step = limit(shape)
        for start in range(0, len(indices), step):
            yield indices[start : start + step]
