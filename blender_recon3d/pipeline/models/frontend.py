"""The learned front-end as the stages use it: photos in numpy in, keypoints and matches in numpy out.

Everything here is in COLMAP's pixels of the full photo (first pixel centre (0.5, 0.5)); devices, batches,
resizing and padding stay inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody uses
from torch import Tensor

from . import weights as weights_of
from .devices import select_device
from .efficientnet import DESCRIPTOR_SIZE, EfficientNetB0, prepare_image
from .precision import bf16, choose_precision
from .superglue import KeypointSet, SuperGlue, SuperGlueSettings, layers_of, normalise_keypoints
from .superpoint import CELL, SuperPoint, SuperPointSettings, to_full_image

__all__ = ["FeatureExtractor", "Features", "Matcher", "RetrievalEncoder", "select_device"]

# Sizes of batches, bounded by what one batch needs in memory.
PIXELS_PER_BATCH = {"cpu": 2**20, "cuda": 2**24, "mps": 2**22}  # SuperPoint: about 0.8 kB a pixel in fp32
SCORES_PER_BATCH = {"cpu": 2**21, "cuda": 2**26, "mps": 2**24}  # SuperGlue: about 20 B a pair of keypoints
RETRIEVAL_BATCH = 16  # photos


@dataclass
class Features:
    """Of one photo.

    keypoints: float32 [N, 2], x and y in COLMAP's pixels of the full photo; scores: float32 [N], descending;
    descriptors: float32 [N, 256], of length 1; image_size: (width, height) of the full photo.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    descriptors: np.ndarray
    image_size: tuple[int, int]


class FeatureExtractor:
    """SuperPoint on photos.

    weights: "bundled", "official" or a folder. device: as `select_device` takes it. max_keypoints: the
    strongest kept a photo. max_size: pixels; photos with a longer side are reduced to it for the network.
    precision: "fp32", or None for bf16 where a self-test finds that it agrees and is faster; the attribute
    `precision` says what is used. Raises UserError when there are no weights or no such device.
    """

    def __init__(
        self,
        weights: str,
        device: str = "auto",
        max_keypoints: int = 4096,
        max_size: int = 1600,
        precision: str | None = None,
    ) -> None:
        self.device = select_device(device)
        self.max_size = max_size
        network = SuperPoint(SuperPointSettings(max_keypoints=max_keypoints))
        network.load_state_dict(weights_of.load("superpoint", weights))
        self.network = network.eval().to(self.device)
        self.precision = precision or choose_precision(self.network, self.device)

    def extract(
        self, images: Sequence[np.ndarray], masks: Sequence[np.ndarray | None] | None = None
    ) -> list[Features]:
        """Features of grey photos, uint8 [H, W] each, of any sizes.

        masks: one a photo or None; uint8 of the photo's shape (another resolution is read in proportion);
        no keypoint lies where it is 0.
        """
        masks = [None] * len(images) if masks is None else masks
        prepared = [_prepare(image, mask, self.max_size) for image, mask in zip(images, masks, strict=True)]
        found: list[Features | None] = [None] * len(images)
        for indices in _batches([item.pixels.shape for item in prepared], self._batch_size):
            for index, features in zip(indices, self._run([prepared[i] for i in indices]), strict=True):
                found[index] = features
        return [features for features in found if features is not None]

    def _batch_size(self, shape: Sequence[int]) -> int:
        return max(1, PIXELS_PER_BATCH[self.device.type] // (shape[-1] * shape[-2]))

    def _run(self, batch: list[_Prepared]) -> list[Features]:
        images = torch.stack([item.pixels for item in batch]).to(self.device).float() / 255
        if self.precision == "bf16":
            images = images.contiguous(memory_format=torch.channels_last)
        masks = torch.stack([item.mask for item in batch]).to(self.device)
        with torch.inference_mode(), bf16(self.device) if self.precision == "bf16" else nullcontext():
            found = self.network(images, masks, [item.size for item in batch])
        result = []
        for item, points in zip(batch, found, strict=True):
            full = to_full_image(points.keypoints, item.scale)
            result.append(
                Features(
                    full.float().cpu().numpy(),
                    points.scores.float().cpu().numpy(),
                    points.descriptors.float().cpu().numpy(),
                    item.image_size,
                )
            )
        return result


class Matcher:
    """SuperGlue on pairs of photos. Arguments and errors as FeatureExtractor's; threshold: smallest
    confidence of a match."""

    def __init__(self, weights: str, device: str = "auto", threshold: float = 0.2) -> None:
        self.device = select_device(device)
        tensors = weights_of.load("superglue", weights)
        network = SuperGlue(SuperGlueSettings(layers=layers_of(tensors), threshold=threshold))
        network.load_state_dict(tensors)
        self.network = network.eval().to(self.device)

    def match(self, pairs: Sequence[tuple[Features, Features]]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Matches of each pair: indices into its keypoints, uint32 [M, 2], and confidences, float32 [M].

        A photo without keypoints has no matches.
        """
        result = [(np.zeros((0, 2), np.uint32), np.zeros(0, np.float32)) for _ in pairs]
        wanted = [i for i, (a, b) in enumerate(pairs) if len(a.keypoints) and len(b.keypoints)]
        # Pairs of similar size share a batch, so that little is padding.
        wanted.sort(key=lambda i: (len(pairs[i][0].keypoints), len(pairs[i][1].keypoints)))
        while wanted:
            batch = [wanted.pop()]  # the largest left, which sets the size of the batch
            m, n = (len(side.keypoints) for side in pairs[batch[0]])
            while wanted:
                other = len(pairs[wanted[-1]][1].keypoints)
                if (len(batch) + 1) * m * max(n, other) > SCORES_PER_BATCH[self.device.type]:
                    break
                n = max(n, other)
                batch.append(wanted.pop())
            for index, matches in zip(batch, self._run([pairs[i] for i in batch]), strict=True):
                result[index] = matches
        return result

    def _run(self, batch: list[tuple[Features, Features]]) -> list[tuple[np.ndarray, np.ndarray]]:
        with torch.inference_mode():
            first, second = (self._side([pair[side] for pair in batch]) for side in (0, 1))
            matches, confidences = self.network.match(first, second)
        result = []
        for partner, confidence in zip(matches.cpu().numpy(), confidences.cpu().numpy(), strict=True):
            own = np.flatnonzero(partner >= 0)
            result.append(
                (np.stack([own, partner[own]], axis=1).astype(np.uint32), confidence[own].astype(np.float32))
            )
        return result

    def _side(self, features: list[Features]) -> KeypointSet:
        length = max(len(item.keypoints) for item in features)
        fields: list[list[Tensor]] = [[], [], [], []]
        for item in features:
            extra = length - len(item.keypoints)
            # The network counts pixels from the first one's centre.
            xy = normalise_keypoints(torch.from_numpy(item.keypoints) - 0.5, item.image_size)
            fields[0].append(F.pad(xy, (0, 0, 0, extra)))
            fields[1].append(F.pad(torch.from_numpy(item.scores), (0, extra)))
            fields[2].append(F.pad(torch.from_numpy(item.descriptors), (0, 0, 0, extra)))
            fields[3].append(torch.arange(length) < len(item.keypoints))
        xy, scores, descriptors, valid = (torch.stack(field).to(self.device) for field in fields)
        return KeypointSet(xy, scores, descriptors, None if bool(valid.all()) else valid)


class RetrievalEncoder:
    """EfficientNet-B0 on photos. Arguments and errors as FeatureExtractor's."""

    def __init__(self, weights: str, device: str = "auto") -> None:
        self.device = select_device(device)
        network = EfficientNetB0()
        network.load_state_dict(weights_of.load("efficientnet_b0", weights))
        self.network = network.eval().to(self.device)

    def encode(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Descriptors float32 [N, 1280] of length 1 of RGB photos, uint8 [H, W, 3] each, of any sizes."""
        prepared = [prepare_image(image) for image in images]
        result = np.zeros((len(images), DESCRIPTOR_SIZE), np.float32)
        for indices in _batches([image.shape for image in prepared], lambda shape: RETRIEVAL_BATCH):
            with torch.inference_mode():
                batch = torch.stack([prepared[i] for i in indices]).to(self.device)
                result[indices] = self.network(batch).cpu().numpy()
        return result


@dataclass
class _Prepared:
    """A photo as SuperPoint takes it. pixels: uint8 [1, h, w], padded to multiples of 8; mask: bool [h, w],
    False on padding and where the user's is black; size: (height, width) without the padding; scale: full /
    resized, x and y; image_size: (width, height) of the full photo."""

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
    # Repeating the edge gives the least response there; the mask keeps what there is from counting.
    pixels = np.pad(image, ((0, bottom), (0, right)), mode="edge")
    usable = np.zeros(pixels.shape, bool)
    usable[:height, :width] = True
    if mask is not None:  # read at the very pixel of the full photo that a keypoint will be mapped to
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
    """Indices of items of one shape, at most limit(shape) at a time."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, shape in enumerate(shapes):
        groups.setdefault(tuple(shape), []).append(index)
    for shape, indices in groups.items():
        step = limit(shape)
        for start in range(0, len(indices), step):
            yield indices[start : start + step]
