"""COLMAP's matcher for SIFT's descriptors (`...colmap.sift`): nearest neighbors with a ratio test; no weights."""

from __future__ import annotations

from typing import Any

from ..network import Descriptors, Matcher, MatcherNetwork


def _open(settings: Any) -> Matcher:
    from ...colmap.sift import SiftMatcher

    return SiftMatcher(settings.device)


NETWORK = MatcherNetwork(
    "sift_matcher",
    "COLMAP's matcher",
    settings=("device",),
    open=_open,
    descriptors=Descriptors("sift", 128),
    min_inliers=15,
    max_error=4.0,
    effort=0.02,
    growth=1,
)
