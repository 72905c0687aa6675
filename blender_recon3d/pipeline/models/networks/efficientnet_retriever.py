"""EfficientNet-B0 (`..efficientnet`): finds similar photos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..network import Retriever, RetrieverNetwork, WeightsEntry, WeightsFile

if TYPE_CHECKING:
    import torch


def _empty(tensors: Mapping[str, torch.Tensor]) -> torch.nn.Module:
    from ..efficientnet import EfficientNetB0

    return EfficientNetB0()


def _open(settings: Any) -> Retriever:
    from ..frontend import RetrievalEncoder

    return RetrievalEncoder(settings.weights, settings.device)


WEIGHTS = WeightsFile(
    "efficientnet_b0",
    _empty,
    (
        WeightsEntry(
            "efficientnet_b0",
            "imagenet",
            "efficientnet_b0",
            "torchvision, BSD-3-Clause; trained on ImageNet",
            True,
            "efficientnet_b0_rwightman-7f5810bc.pth",
            "7f5810bc96def8f7552d5b7e68d53c4786f81167d28291b21c0d90e1fca14934",
            "https://download.pytorch.org/models/efficientnet_b0_rwightman-7f5810bc.pth",
            "https://github.com/pytorch/vision/blob/main/LICENSE",
        ),
    ),
)
NETWORK = RetrieverNetwork(
    "efficientnet_b0",
    "EfficientNet-B0",
    settings=("weights", "device"),
    weights=(WEIGHTS,),
    open=_open,
)
