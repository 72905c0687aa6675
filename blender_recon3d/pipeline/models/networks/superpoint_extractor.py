"""SuperPoint (`..superpoint`): keypoints with 256 numbers each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..magic_leap import published
from ..network import Descriptors, Extractor, ExtractorNetwork, WeightsFile

if TYPE_CHECKING:
    import torch

MAX_KEYPOINTS = 2048  # SuperGlue takes four times as long for a pair with 4,096


def _empty(tensors: Mapping[str, torch.Tensor]) -> torch.nn.Module:
    from ..superpoint import SuperPoint

    return SuperPoint()


def _same_in_bf16(weights: str, device: torch.device) -> bool:
    from ..precision import superpoint_takes_bf16

    return superpoint_takes_bf16(weights, device)


CHOICE = ("nms_radius", "detection_threshold", "border")  # settings for the choice of keypoints


def choice(settings: Any) -> dict[str, Any]:
    """These settings by the names in `SuperPointSettings`."""
    return {name.removeprefix("detection_"): getattr(settings, name) for name in CHOICE}


def _open(settings: Any) -> Extractor:
    from ..arithmetic import requested
    from ..frontend import FeatureExtractor
    from ..network_extraction import NetworkExtractor

    network = FeatureExtractor(
        settings.weights,
        settings.device,
        max_keypoints=settings.max_keypoints or MAX_KEYPOINTS,
        max_size=settings.max_size,
        precision=requested(settings.precision),
        **choice(settings),
    )
    return NetworkExtractor(network, settings.precision)


WEIGHTS = WeightsFile(
    "superpoint",
    _empty,
    (
        published(
            "superpoint",
            "superpoint",
            "superpoint_v1.pth",
            "52b6708629640ca883673b5d5c097c4ddad37d8048b33f09c8ca0d69db12c40e",
        ),
    ),
)
NETWORK = ExtractorNetwork(
    "superpoint",
    "SuperPoint",
    settings=("weights", "device", "precision", "max_keypoints", "max_size", *CHOICE),
    weights=(WEIGHTS,),
    precisions=("fp32", "bf16"),
    same_in_bf16=_same_in_bf16,
    open=_open,
    descriptors=Descriptors("superpoint", 256),
    max_keypoints=MAX_KEYPOINTS,
    effort=0.14,
)
