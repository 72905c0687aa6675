"""SIFT's keypoints and SuperPoint's with descriptors in ALIKED's space, in one database (`..combined_extraction`)."""

from __future__ import annotations

from typing import Any

from ..network import Descriptors, Extractor, ExtractorNetwork
from . import aliked_extractor, sift_extractor


def _open(settings: Any) -> Extractor:
    from ...colmap.sift import SiftExtractor
    from ..combined_extraction import CombinedExtractor

    most = settings.max_keypoints or sift_extractor.MAX_KEYPOINTS
    sift = SiftExtractor(settings.device, most, settings.max_size)
    return CombinedExtractor(sift, aliked_extractor.open_extractor(settings))


ALIKED = aliked_extractor.NETWORK
NETWORK = ExtractorNetwork(
    "sift_and_aliked",
    "SIFT and SuperPoint",
    settings=ALIKED.settings,
    weights=ALIKED.weights,
    precisions=ALIKED.precisions,
    same_in_bf16=ALIKED.same_in_bf16,
    open=_open,
    descriptors=Descriptors("sift and aliked", 128),
    max_keypoints=sift_extractor.MAX_KEYPOINTS + ALIKED.max_keypoints,
    effort=sift_extractor.NETWORK.effort + ALIKED.effort,
)
