"""SuperPoint for inference: the network of `superpoint`, strip by strip (`strips`), in bf16 where that is faster."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor

from .strips import STRIP_BYTES, block
from .superpoint import Keypoints, SuperPoint, SuperPointSettings, keypoints_of


class FastSuperPoint:
    """A loaded SuperPoint; later changes to the network have no effect.

    dtype: of the convolutions, torch.float32 or torch.bfloat16. device: where it runs, the network's own by default.
    strip_bytes: size of the part of a block's feature map that is computed at a time on a CPU; a GPU computes all at
    once.
    """

    def __init__(
        self,
        network: SuperPoint,
        dtype: torch.dtype = torch.float32,
        device: torch.device | None = None,
        strip_bytes: int = STRIP_BYTES,
    ) -> None:
        self.settings: SuperPointSettings = network.settings
        self.dtype = dtype
        self.device = device or network.conv1a.weight.device
        self.strip_bytes = strip_bytes
        parameters = {
            name: tensor.detach().to(self.device, torch.float32)
            for name, tensor in network.named_parameters()
        }
        # Photos are bytes, which bf16 represents exactly, unlike their multiples of 1/255. The second, empty channel is
        # for oneDNN: it keeps a single channel in a layout that the next layer would have to convert.
        first = parameters["conv1a.weight"] / 255
        parameters["conv1a.weight"] = torch.cat([first, torch.zeros_like(first)], dim=1)
        # The scores need fp32: in bf16 neighboring ones tie and survive the suppression.
        self._layers = {
            layer: (
                parameters[f"{layer}.weight"]
                .to(torch.float32 if layer == "convPb" else dtype)
                .contiguous(memory_format=torch.channels_last),
                parameters[f"{layer}.bias"].to(torch.float32 if layer == "convPb" else dtype),
            )
            for layer in dict.fromkeys(name.split(".")[0] for name in parameters)
        }

    def dense(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """As `SuperPoint.dense`: float [B, 1, H, W] in [0, 1] to float32 logits and descriptors."""
        return self._heads(self._block(self._first(images), "conv2a", "conv2b", pool=True))

    def half(self, images: Tensor) -> Tensor:
        """As `aliked_descriptors.half_features`, in this network's arithmetic and channels last."""
        return self._block(self._first(images), "conv2a", "conv2b", pool=False)

    def from_half(self, half: Tensor) -> tuple[Tensor, Tensor]:
        """The result of `dense`, from that of `half`."""
        return self._heads(F.max_pool2d(half, 2))

    def _first(self, images: Tensor) -> Tensor:
        gray = (images * 255).to(self.dtype)
        x = torch.cat([gray, torch.zeros_like(gray)], dim=1).contiguous(memory_format=torch.channels_last)
        return self._block(x, "conv1a", "conv1b", pool=True)

    def _heads(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self._block(x, "conv3a", "conv3b", pool=True)
        x = self._block(x, "conv4a", "conv4b", pool=False)
        detector, descriptor = (
            F.conv2d(x, *self._layers[head], padding=1).relu_() for head in ("convPa", "convDa")
        )
        logits = F.conv2d(detector.float(), *self._layers["convPb"])
        descriptors = F.conv2d(descriptor, *self._layers["convDb"])
        return logits, F.normalize(descriptors.float(), dim=1)

    def __call__(
        self, images: Tensor, masks: Tensor | None = None, sizes: list[tuple[int, int]] | None = None
    ) -> list[Keypoints]:
        """As `SuperPoint.forward`."""
        return keypoints_of(*self.dense(images), self.settings, images, masks, sizes)

    def _block(self, x: Tensor, first: str, second: str, pool: bool) -> Tensor:
        return block(x, self._layers[first], self._layers[second], pool, self.strip_bytes)
