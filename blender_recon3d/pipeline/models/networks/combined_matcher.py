"""SIFT on all pairs, LightGlue where it finds too little (`..combined_matching`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..network import Descriptors, Matcher
from . import lightglue_matcher, sift_matcher


def _open(settings: Any) -> Matcher:
    from ...colmap.sift import SiftMatcher
    from ..combined_matching import CombinedMatcher

    return CombinedMatcher(SiftMatcher(settings.device), lightglue_matcher.open_matcher(settings))


LIGHTGLUE, SIFT = lightglue_matcher.NETWORK, sift_matcher.NETWORK
NETWORK = replace(
    LIGHTGLUE,
    name="sift_and_lightglue",
    title="COLMAP's matcher and LightGlue",
    open=_open,
    descriptors=Descriptors("sift and aliked", 128),
    max_error=max(LIGHTGLUE.max_error, SIFT.max_error),
    min_inliers=max(LIGHTGLUE.min_inliers, SIFT.min_inliers),
    effort=SIFT.effort + LIGHTGLUE.effort / 4,  # on a ring of 32 photos LightGlue tries 94 of 496 pairs
)
