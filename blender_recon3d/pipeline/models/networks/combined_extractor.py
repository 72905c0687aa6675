"""SIFT's keypoints and SuperPoint's with descriptors in ALIKED's space, in one database (`..combined_extraction`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..network import Descriptors, Extractor
from . import aliked_extractor, sift_extractor


def _open(settings: Any) -> Extractor:
    from ...colmap.sift import SiftExtractor
    from ..combined_extraction import CombinedExtractor

    max_keypoints = settings.max_keypoints or sift_extractor.MAX_KEYPOINTS
    sift = SiftExtractor(settings.device, max_keypoints, settings.max_size)
    return CombinedExtractor(sift, aliked_extractor.open_extractor(settings))


ALIKED, SIFT = aliked_extractor.NETWORK, sift_extractor.NETWORK
NETWORK = replace(
    ALIKED,
    name="sift_and_aliked",
    title="SIFT and SuperPoint",
    open=_open,
    descriptors=Descriptors("sift and aliked", 128),
    max_keypoints=SIFT.max_keypoints + ALIKED.max_keypoints,
    effort=SIFT.effort + ALIKED.effort,
)
