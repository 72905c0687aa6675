"""LightGlue (`..lightglue`) with weights for ALIKED's descriptors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..network import Descriptors, Matcher, MatcherNetwork, WeightsFile

if TYPE_CHECKING:
    import torch


def _empty(tensors: Mapping[str, torch.Tensor]) -> torch.nn.Module:
    from ..lightglue import LightGlue, LightGlueSettings, layers_of

    # Any number of layers may be there, but no more parameters than the file has tensors.
    return LightGlue(LightGlueSettings(layers=max(1, min(layers_of(tensors), len(tensors)))))


def _open(settings: Any) -> Matcher:
    from ..matcher import LightGlueMatcher
    from ..network_matching import NetworkMatcher

    return NetworkMatcher(LightGlueMatcher(settings.weights, settings.device))


NETWORK = MatcherNetwork(
    "lightglue",
    "LightGlue",
    settings=("weights", "device"),
    weights=(WeightsFile("lightglue", _empty),),
    precisions=("fp32",),
    open=_open,
    descriptors=Descriptors("aliked", 128),
    min_inliers=15,  # it is sure of few wrong matches; not measured yet
    effort=0.10,  # SuperGlue's: not measured yet
    growth=2,
)
