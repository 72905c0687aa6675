"""COLMAP's SIFT (`...colmap.sift`): keypoints with 128 bytes each; no weights."""

from __future__ import annotations

from typing import Any

from ..network import Descriptors, Extractor, ExtractorNetwork

MAX_KEYPOINTS = 8192


def _open(settings: Any) -> Extractor:
    from ...colmap.sift import SiftExtractor

    return SiftExtractor(settings.device, settings.max_keypoints or MAX_KEYPOINTS, settings.max_size)


NETWORK = ExtractorNetwork(
    "sift",
    "SIFT",
    settings=("device", "max_keypoints", "max_size"),
    open=_open,
    descriptors=Descriptors("sift", 128),
    max_keypoints=MAX_KEYPOINTS,
    effort=0.45,
)
