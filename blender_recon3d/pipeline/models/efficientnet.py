"""EfficientNet-B0 as a global image descriptor, which finds photos of the same thing.

The network is torchvision's (Tan and Le, ICML 2019, arXiv:1905.11946); the descriptor is its last feature map,
averaged over the image and scaled to length 1, so that the dot product of two is their cosine similarity.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor, nn

DESCRIPTOR_SIZE = 1280
LONGEST_SIDE = 320  # pixels; about the area that B0 was trained with, for photos of 4:3
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
_OPERATOR = "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_DECLARED: list[Any] = []  # keeps the declarations alive: torch removes them with the object


def declare_missing_operators() -> None:
    """Let `import torchvision` succeed if its compiled operators do not load.

    That happens if torch and torchvision are builds for different hardware. The import fails on the schemas of two
    operators that the classification networks never call, so declaring them is enough; if the operators are available,
    or torchvision is imported already, this does nothing.
    """
    if _DECLARED or importlib.util.find_spec("torchvision") is None:
        return
    try:
        import torchvision  # noqa: F401
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        library = torch.library.Library("torchvision", "DEF")
        library.define(_OPERATOR)
        library.define("q" + _OPERATOR)
        _DECLARED.append(library)


class EfficientNetB0(nn.Module):
    """torchvision's EfficientNet-B0 without its classifier; parameters have its names (`features...`)."""

    def __init__(self) -> None:
        super().__init__()
        declare_missing_operators()
        from torchvision.models import efficientnet_b0

        self.features = efficientnet_b0(weights=None).features

    def forward(self, images: Tensor) -> Tensor:
        """Descriptors float32 [B, 1280] of length 1 for ImageNet-normalized images [B, 3, H, W]."""
        return F.normalize(self.features(images).float().mean(dim=(2, 3)), dim=1)


def prepare_image(image: np.ndarray, longest_side: int = LONGEST_SIDE) -> Tensor:
    """An RGB photo, uint8 [H, W, 3], as input of the network: float32 [3, h, w].

    The longest side is scaled to `longest_side` pixels with the aspect ratio kept: nothing is distorted, cropped or
    padded; no side becomes shorter than 32 pixels, one cell of the last feature map.
    """
    height, width = image.shape[:2]
    scale = longest_side / max(height, width)
    size = (max(32, round(width * scale)), max(32, round(height * scale)))
    if size != (width, height):
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    values = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float() / 255
    return (values - torch.tensor(IMAGENET_MEAN).view(3, 1, 1)) / torch.tensor(IMAGENET_STD).view(3, 1, 1)
