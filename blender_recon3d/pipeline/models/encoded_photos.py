"""Photos read and encoded once for all their pairs by a matching network, and the pairs' matches."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import torch

from ..workspace import Workspace
from .feature_files import feature_path, load_features
from .frontend import Features
from .network import Names
from .parallel import in_parallel

MAX_CACHED_PHOTOS = 48  # of 2 MB each; more than two tiles


class MatchingNetwork(Protocol):
    """`matcher.Matcher` is one."""

    device: torch.device

    def encode(self, features: Features) -> Any:
        """The part computed once per photo, for all its pairs."""

    def match(self, pairs: Sequence[tuple[Any, Any]]) -> list[tuple[np.ndarray, np.ndarray]]:
        """For encoded photos: indices of matching keypoints, uint32 [M, 2], and their scores, float32 [M]."""


class EncodedPhotos:
    """strongest: the number of keypoints used of each photo; None for all."""

    def __init__(self, network: MatchingNetwork, workspace: Workspace, strongest: int | None = None) -> None:
        self.network = network
        self._workspace = workspace
        self._strongest = strongest
        self.encoded = lru_cache(maxsize=MAX_CACHED_PHOTOS)(self._encoded)

    def match(self, pairs: Sequence[Names]) -> dict[Names, np.ndarray]:
        """Indices of matching keypoints, uint32 [M, 2], of each pair."""
        in_parallel(self.encoded, sorted({name for pair in pairs for name in pair}), self.network.device)
        results = self.network.match([(self.encoded(a), self.encoded(b)) for a, b in pairs])
        return {pair: matches for pair, (matches, _) in zip(pairs, results, strict=True)}

    def _encoded(self, name: str) -> Any:
        features = load_features(feature_path(self._workspace, name))
        return self.network.encode(
            features if self._strongest is None else strongest(features, self._strongest)
        )


def strongest(features: Features, count: int) -> Features:
    """The first `count` of the features, which are the strongest."""
    return Features(
        features.keypoints[:count],
        features.scores[:count],
        features.descriptors[:count],
        features.image_size,
        features.turns,
    )
