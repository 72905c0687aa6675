"""SuperGlue and LightGlue as used by the stages: features of photos in numpy in, matches in numpy out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from . import weights as weights_of
from .aliked_precision import fastest_lightglue, settings_of
from .arithmetic import Precision
from .devices import select_device
from .fast_lightglue import EncodedPhoto
from .lightglue import Described, LightGlueSettings, normalize_positions
from .parallel import in_parallel
from .precision import fastest_superglue
from .superglue import SuperGlueSettings, layers_of, normalize_keypoints

if TYPE_CHECKING:
    from .frontend import Features

# Pairs of keypoints matched at once, each about 12 bytes and its share of the layers. On a CPU each pair has its own
# core, so its result does not depend on the other pairs.
SCORES_PER_BATCH = {"cpu": 1, "cuda": 2**26, "mps": 2**24}
MAX_PAIRS = 8  # pairs in parallel

Matches = tuple[np.ndarray, np.ndarray]  # indices uint32 [K, 2], confidences float32 [K]


@dataclass(frozen=True, eq=False)
class Encoded:
    """A photo encoded by the matcher, for all its pairs: float32 [N, 256], on the matcher's device."""

    rows: Tensor

    def __len__(self) -> int:
        return len(self.rows)


class Matcher:
    """SuperGlue on pairs of photos.

    weights: "bundled", "official" or a folder. device: as in `select_device`. threshold: minimum confidence of a match.
    precision: "fp32" or "bf16"; None for bf16 where it is fast and a self-test finds that it agrees. Raises UserError
    if there are no weights or no such device.
    """

    def __init__(
        self,
        weights: str,
        device: str = "auto",
        threshold: float = 0.2,
        precision: Precision | None = None,
    ) -> None:
        chosen = select_device(device)
        tensors = weights_of.load("superglue", weights)
        settings = SuperGlueSettings(layers=layers_of(tensors), threshold=threshold)
        self.network = fastest_superglue(tensors, settings, chosen, precision)
        self.device = self.network.device

    def encode(self, features: Features) -> Encoded:
        """Computes once per photo, in the calling thread; `match` does it for photos that are not encoded yet."""
        # In the network's coordinates the first pixel's center is 0.
        xy = normalize_keypoints(torch.from_numpy(features.keypoints) - 0.5, features.image_size)
        sides = (xy, torch.from_numpy(features.scores), torch.from_numpy(features.descriptors))
        with torch.inference_mode():
            return Encoded(self.network.encode(*(values.to(self.device) for values in sides)))

    def match(self, pairs: Sequence[tuple[Features | Encoded, Features | Encoded]]) -> list[Matches]:
        """Matches of each pair: indices into its keypoints, uint32 [M, 2], and confidences, float32 [M].

        A photo without keypoints has no matches.
        """
        encoded = self._encode_once(pairs)
        sides = [(encoded[id(first)], encoded[id(second)]) for first, second in pairs]
        result = [(np.zeros((0, 2), np.uint32), np.zeros(0, np.float32)) for _ in pairs]
        batches = list(self._batches([(len(first), len(second)) for first, second in sides]))
        results = in_parallel(
            lambda batch: self._run([sides[i] for i in batch]), batches, self.device, MAX_PAIRS
        )
        for batch, matches in zip(batches, results, strict=True):
            for index, value in zip(batch, matches, strict=True):
                result[index] = value
        return result

    def _encode_once(
        self, pairs: Sequence[tuple[Features | Encoded, Features | Encoded]]
    ) -> dict[int, Encoded]:
        """The encoded photos by the id of their entry in `pairs`."""
        distinct = {id(photo): photo for pair in pairs for photo in pair}
        encoded = {key: photo for key, photo in distinct.items() if isinstance(photo, Encoded)}
        rest = [(key, photo) for key, photo in distinct.items() if not isinstance(photo, Encoded)]
        for (key, _), rows in zip(
            rest, in_parallel(lambda item: self.encode(item[1]), rest, self.device, MAX_PAIRS), strict=True
        ):
            encoded[key] = rows
        return encoded

    def _batches(self, sizes: list[tuple[int, int]]) -> Iterator[list[int]]:
        """Indices of pairs with the same numbers of keypoints, none of them 0."""
        groups: dict[tuple[int, int], list[int]] = {}
        for index, size in enumerate(sizes):
            if min(size) > 0:
                groups.setdefault(size, []).append(index)
        for (m, n), indices in groups.items():
            step = max(1, SCORES_PER_BATCH[self.device.type] // (m * n))
            for start in range(0, len(indices), step):
                yield indices[start : start + step]

    def _run(self, batch: list[tuple[Encoded, Encoded]]) -> list[Matches]:
        with torch.inference_mode():
            first, second = ([pair[side].rows for pair in batch] for side in (0, 1))
            results = self.network.match(first, second)
            return [
                (matches.numpy().astype(np.uint32), confidences.numpy()) for matches, confidences in results
            ]


class LightGlueMatcher:
    """LightGlue on pairs of photos whose descriptors are in ALIKED's space. Arguments and errors as in `Matcher`."""

    def __init__(
        self,
        weights: str,
        device: str = "auto",
        threshold: float = LightGlueSettings.threshold,
        precision: Precision | None = None,
    ) -> None:
        tensors = weights_of.load("lightglue", weights)
        settings = settings_of(tensors, threshold)
        self.network = fastest_lightglue(tensors, settings, select_device(device), precision)
        self.device = self.network.device

    def encode(self, features: Features) -> EncodedPhoto:
        """As `Matcher.encode`."""
        # In the network's coordinates the first pixel's center is 0.
        xy = torch.from_numpy(features.keypoints) - 0.5
        positions = normalize_positions(xy, features.image_size)
        with torch.inference_mode():
            return self.network.encode(Described(positions, torch.from_numpy(features.descriptors)))

    def match(self, pairs: Sequence[tuple[EncodedPhoto, EncodedPhoto]]) -> list[Matches]:
        """As `Matcher.match`; pair by pair, since each has its own depth and width."""
        return in_parallel(self._match, pairs, self.device, MAX_PAIRS)

    def _match(self, pair: tuple[EncodedPhoto, EncodedPhoto]) -> Matches:
        with torch.inference_mode():
            result = self.network.match(*pair)
        return result.indices.cpu().numpy().astype(np.uint32), result.scores.cpu().numpy()
