"""SuperPoint's keypoints with descriptors in ALIKED's space (`..aliked_descriptors`), 128 numbers each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..network import Descriptors, ExtractorNetwork, WeightsFile
from .superpoint_extractor import CHOICE, MAX_KEYPOINTS, choice
from .superpoint_extractor import WEIGHTS as SUPERPOINT_WEIGHTS

if TYPE_CHECKING:
    import torch

    from ..network_extraction import NetworkExtractor


def _empty(tensors: Mapping[str, torch.Tensor]) -> torch.nn.Module:
    from ..aliked_descriptors import AlikedDescriptors

    return AlikedDescriptors()


def _same_in_bf16(weights: str, device: torch.device) -> bool:
    from ..aliked_precision import extractor_takes_bf16

    return extractor_takes_bf16(weights, device)


def open_extractor(settings: Any) -> NetworkExtractor:
    from ..arithmetic import requested
    from ..frontend import AlikedFeatureExtractor
    from ..network_extraction import NetworkExtractor

    network = AlikedFeatureExtractor(
        settings.weights,
        settings.device,
        max_keypoints=settings.max_keypoints or MAX_KEYPOINTS,
        max_size=settings.max_size,
        precision=requested(settings.precision),
        **choice(settings),
    )
    return NetworkExtractor(network, settings.precision)


NETWORK = ExtractorNetwork(
    "superpoint_aliked",
    "SuperPoint",
    settings=("weights", "device", "precision", "max_keypoints", "max_size", *CHOICE),
    weights=(SUPERPOINT_WEIGHTS, WeightsFile("aliked_descriptors", _empty)),
    precisions=("fp32", "bf16"),
    same_in_bf16=_same_in_bf16,
    open=open_extractor,
    descriptors=Descriptors("aliked", 128),
    max_keypoints=MAX_KEYPOINTS,
    effort=0.2,  # 1.5 times SuperPoint's
)
