"""SIFT on all pairs, LightGlue where it finds too little (`..combined_matching`)."""

from __future__ import annotations

from typing import Any

from ..network import Descriptors, Matcher, MatcherNetwork
from . import lightglue_matcher, sift_matcher


def _open(settings: Any) -> Matcher:
    from ...colmap.sift import SiftMatcher
    from ..combined_matching import CombinedMatcher

    return CombinedMatcher(SiftMatcher(settings.device), lightglue_matcher.open_matcher(settings))


LIGHTGLUE = lightglue_matcher.NETWORK
NETWORK = MatcherNetwork(
    "sift_and_lightglue",
    "COLMAP's matcher and LightGlue",
    settings=LIGHTGLUE.settings,
    weights=LIGHTGLUE.weights,
    precisions=LIGHTGLUE.precisions,
    same_in_bf16=LIGHTGLUE.same_in_bf16,
    open=_open,
    descriptors=Descriptors("sift and aliked", 128),
    max_error=max(LIGHTGLUE.max_error, sift_matcher.NETWORK.max_error),
    min_inliers=max(LIGHTGLUE.min_inliers, sift_matcher.NETWORK.min_inliers),
    first_look=LIGHTGLUE.first_look,
    effort=sift_matcher.NETWORK.effort + LIGHTGLUE.effort / 2,
    growth=LIGHTGLUE.growth,
)
