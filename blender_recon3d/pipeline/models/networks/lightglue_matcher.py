"""LightGlue (`..lightglue`) with weights for ALIKED's descriptors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..network import Descriptors, MatcherNetwork, WeightsFile

if TYPE_CHECKING:
    import torch

    from ..network_matching import NetworkMatcher

FIRST_LOOK = 8  # matches of the strongest keypoints that must agree


def _empty(tensors: Mapping[str, torch.Tensor]) -> torch.nn.Module:
    from ..lightglue import LightGlue, LightGlueSettings, layers_of

    # Any number of layers is accepted, but no more parameters than the file has tensors.
    return LightGlue(LightGlueSettings(layers=max(1, min(layers_of(tensors), len(tensors)))))


def _same_in_bf16(weights: str, device: torch.device) -> bool:
    from ..aliked_precision import lightglue_takes_bf16

    return lightglue_takes_bf16(weights, device)


def open_matcher(settings: Any) -> NetworkMatcher:
    from ..arithmetic import requested
    from ..matcher import LightGlueMatcher
    from ..network_matching import NetworkMatcher

    network = LightGlueMatcher(settings.weights, settings.device, precision=requested(settings.precision))
    return NetworkMatcher(network, settings.precision, settings.first_keypoints, FIRST_LOOK)


NETWORK = MatcherNetwork(
    "lightglue",
    "LightGlue",
    settings=("weights", "device", "precision", "first_keypoints"),
    weights=(WeightsFile("lightglue", _empty),),
    precisions=("fp32", "bf16"),
    same_in_bf16=_same_in_bf16,
    open=open_matcher,
    descriptors=Descriptors("aliked", 128),
    min_inliers=15,  # it gives few wrong matches
    max_error=4.0,
    first_look=FIRST_LOOK,
    effort=0.22,  # it has more than twice SuperGlue's layers
    growth=2,
)
