"""SuperGlue (`..superglue`): matches of SuperPoint's keypoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..magic_leap import published
from ..network import Descriptors, Matcher, MatcherNetwork, WeightsFile

if TYPE_CHECKING:
    import torch


def _empty(tensors: Mapping[str, torch.Tensor]) -> torch.nn.Module:
    from ..superglue import SuperGlue, SuperGlueSettings, layers_of

    # Any number of layers is accepted, but no more parameters than the file has tensors.
    return SuperGlue(SuperGlueSettings(layers=min(layers_of(tensors), len(tensors))))


def _same_in_bf16(weights: str, device: torch.device) -> bool:
    from ..precision import superglue_takes_bf16

    return superglue_takes_bf16(weights, device)


def _open(settings: Any) -> Matcher:
    from .. import matcher
    from ..arithmetic import requested
    from ..network_matching import NetworkMatcher

    network = matcher.Matcher(
        settings.weights, settings.device, settings.match_threshold, requested(settings.precision)
    )
    return NetworkMatcher(network, settings.precision)


WEIGHTS = WeightsFile(
    "superglue",
    _empty,
    (
        published(
            "superglue",
            "superglue",
            "superglue_outdoor.pth",
            "2f5f5e9bb3febf07b69df633c4c3ff7a17f8af26a023aae2b9303d22339195bd",
        ),
        published(
            "superglue-indoor",
            "superglue",
            "superglue_indoor.pth",
            "0e710469be25ebe1e2ccf68edcae8b2945b0617c8e7e68412251d9d47f5052b1",
        ),
    ),
)
NETWORK = MatcherNetwork(
    "superglue",
    "SuperGlue",
    settings=("weights", "device", "precision", "match_threshold"),
    weights=(WEIGHTS,),
    precisions=("fp32", "bf16"),
    same_in_bf16=_same_in_bf16,
    open=_open,
    descriptors=Descriptors("superpoint", 256),
    # It also gives matches for photos without overlap: some 20 of its hundreds of wrong matches fit an epipolar
    # geometry by chance, whereas SIFT's few do not reach 15.
    min_inliers=30,
    max_error=3.0,  # its wrong pairs have more inliers the larger this is: at 4, up to 50
    effort=0.10,
    growth=2,
)
