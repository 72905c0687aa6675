"""Descriptors in ALIKED's space for inference: the network of `aliked_descriptors`, in bf16 where that is faster.

It continues from the features that SuperPoint has computed already, strip by strip (`strips`), and samples maps before
the 1x1 convolutions, which then process a few thousand points instead of every pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor

from .aliked_descriptors import PATCH, AlikedDescriptors
from .strips import Layer, block

CONVOLUTIONS = (
    "conv3a", "conv3b", "conv4a", "conv4b", "convDa", "convDb", "convDc", "conv5", "conv6a", "conv6b",
)  # fmt: skip
POINTWISE = ("fine", "patch", "quarter")


@dataclass(frozen=True)
class Maps:
    """For one photo: [C, h, w] at 1/2, 1/4, 1/8, 1/16 and 1/32 of its size."""

    half: Tensor
    quarter: Tensor
    coarse: Tensor
    sixteenth: Tensor
    coarsest: Tensor


class FastAlikedDescriptors:
    """dtype: of the convolutions. device: the network's own by default."""

    def __init__(
        self,
        network: AlikedDescriptors,
        dtype: torch.dtype = torch.float32,
        device: torch.device | None = None,
    ) -> None:
        self.dtype = dtype
        self.device = device or network.conv3a.weight.device
        parameters = {name: tensor.detach().to(self.device) for name, tensor in network.named_parameters()}
        self._layers: dict[str, Layer] = {
            name: (
                parameters[f"{name}.weight"].to(dtype).contiguous(memory_format=torch.channels_last),
                parameters[f"{name}.bias"].to(dtype),
            )
            for name in CONVOLUTIONS
        }
        self._pointwise: dict[str, Layer] = {
            name: (parameters[f"{name}.weight"].flatten(1), parameters[f"{name}.bias"]) for name in POINTWISE
        }
        self._linear: dict[str, Layer] = {
            name: (parameters[f"{name}.weight"], parameters[f"{name}.bias"])
            for name in ("linear", "hidden", "correction")
        }

    def maps(self, half: Tensor) -> list[Maps]:
        """The maps to sample at the keypoints, for each photo; half: [B, 64, H/2, W/2] from `FastSuperPoint.half`."""
        quarter = self._block(F.max_pool2d(half, 2), "conv3a", "conv3b")
        eighth = self._block(F.max_pool2d(quarter, 2), "conv4a", "conv4b")
        eighth = self._block(eighth, "convDa", "convDb")
        coarse = F.conv2d(eighth, *self._layers["convDc"])
        sixteenth = self._convolved(F.avg_pool2d(eighth, 2, ceil_mode=True), "conv5")
        x = self._convolved(F.avg_pool2d(sixteenth, 2, ceil_mode=True), "conv6a")
        coarsest = self._convolved(x, "conv6b")
        return [Maps(*of_photo) for of_photo in zip(half, quarter, coarse, sixteenth, coarsest, strict=True)]

    def describe(self, maps: Maps, xy: Tensor) -> Tensor:
        """Descriptors float32 [N, 128] of length 1; xy: [N, 2] as in `AlikedDescriptors.forward`."""
        steps = torch.arange(-1, 2, device=xy.device, dtype=xy.dtype) * (2 * PATCH)
        around = (xy[:, None] + torch.cartesian_prod(steps, steps)).flatten(0, 1)
        coarse, fine = sampled(maps.coarse, xy, 8), self._point("fine", sampled(maps.half, xy, 2))
        levels = [
            coarse,
            fine,
            self._point("quarter", sampled(maps.quarter, xy, 4)),
            sampled(maps.sixteenth, xy, 16),
            sampled(maps.coarsest, xy, 32),
            self._point("patch", sampled(maps.half, around, 2)).unflatten(0, (-1, 9)).flatten(1),
        ]
        linear = F.linear(torch.cat(levels[:2], dim=1), *self._linear["linear"])
        hidden = F.relu(F.linear(torch.cat(levels, dim=1), *self._linear["hidden"]))
        return F.normalize(linear + F.linear(hidden, *self._linear["correction"]), dim=1)

    def _block(self, x: Tensor, first: str, second: str) -> Tensor:
        return block(x, self._layers[first], self._layers[second], pool=False)

    def _convolved(self, x: Tensor, layer: str) -> Tensor:
        return F.conv2d(x, *self._layers[layer], padding=1).relu_()

    def _point(self, layer: str, values: Tensor) -> Tensor:
        return F.linear(values, *self._pointwise[layer])


def sampled(values: Tensor, xy: Tensor, cell: int) -> Tensor:
    """As `aliked_descriptors.at`, for one photo's map [C, h, w] of any type: float32 [N, C] at xy [N, 2].

    Reads only the cells around the points, so that a large bf16 map need not be converted to float32.
    """
    channels, height, width = values.shape
    place = (xy + 0.5) / cell - 0.5
    x = place[:, 0].clamp(0, width - 1)
    y = place[:, 1].clamp(0, height - 1)
    left, top = x.floor(), y.floor()
    across, down = (x - left)[:, None], (y - top)[:, None]
    columns = [left.long(), (left.long() + 1).clamp(max=width - 1)]
    rows = [top.long(), (top.long() + 1).clamp(max=height - 1)]
    cells = values.permute(1, 2, 0).reshape(-1, channels)  # a view of a map that is channels last

    def between(row: Tensor) -> Tensor:
        one, other = (cells[row * width + column].float() for column in columns)
        return torch.lerp(one, other, across)

    return torch.lerp(between(rows[0]), between(rows[1]), down)
