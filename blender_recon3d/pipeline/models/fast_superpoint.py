"""SuperPoint for inference: the network of `superpoint`, computed strip by strip, in bf16 where that pays.

The plain network's cost on a CPU is memory, not arithmetic: a photo's first feature maps are 64 channels of
every pixel. Here a block (convolution, convolution, pool) is computed for as many rows at a time as stay in
the cache, with the rows above and below that it looks at, so that the result is the same.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody uses
from torch import Tensor

from .superpoint import Keypoints, SuperPoint, SuperPointSettings, keypoints_of

STRIP_BYTES = 4 * 2**20  # of one feature map: what a core's caches hold
HALO = 2  # rows that two 3x3 convolutions look beyond each edge
BLOCKS = (("conv1a", "conv1b"), ("conv2a", "conv2b"), ("conv3a", "conv3b"), ("conv4a", "conv4b"))


class FastSuperPoint:
    """A loaded SuperPoint; what changes in the network later is not seen.

    dtype: of the convolutions, torch.float32 or torch.bfloat16. device: where it computes, the network's own
    by default. strip_bytes: of a block's feature map that is computed at a time on a CPU; a GPU does all.
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
        # Photos are bytes, which bf16 holds exactly, as it does not hold their 255th parts. The second, empty
        # channel is for oneDNN: it keeps one channel alone in a layout that the next layer would turn round.
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
        gray = (images * 255).to(self.dtype)
        x = torch.cat([gray, torch.zeros_like(gray)], dim=1).contiguous(memory_format=torch.channels_last)
        for first, second in BLOCKS:
            x = self._block(x, first, second, pool=second != "conv4b")
        detector, descriptor = (self._convolve(x, head, (1, 1)).relu_() for head in ("convPa", "convDa"))
        logits = F.conv2d(detector.float(), *self._layers["convPb"])
        descriptors = F.conv2d(descriptor, *self._layers["convDb"])
        return logits, F.normalize(descriptors.float(), dim=1)

    def __call__(
        self, images: Tensor, masks: Tensor | None = None, sizes: list[tuple[int, int]] | None = None
    ) -> list[Keypoints]:
        """As `SuperPoint.forward`."""
        return keypoints_of(*self.dense(images), self.settings, masks, sizes)

    def _block(self, x: Tensor, first: str, second: str, pool: bool) -> Tensor:
        """Two convolutions and, where `pool`, the maxima of 2x2: [B, C, H, W] to [B, C', H // 2, W // 2]."""
        height = x.shape[2]
        end = height // 2 * 2 if pool else height  # an odd row is in no window
        step = self._strip_rows(x, self._layers[first][0].shape[0])
        strips = [
            self._strip(x, first, second, pool, start, min(start + step, end))
            for start in range(0, end, step)
        ]
        return strips[0] if len(strips) == 1 else torch.cat(strips, dim=2)

    def _strip_rows(self, x: Tensor, channels: int) -> int:
        """How many rows at a time; a multiple of 8, so that no 2x2 window is cut."""
        batch, _, height, width = x.shape
        if x.device.type != "cpu":
            return height
        return max(8, self.strip_bytes // (batch * width * channels * x.element_size()) // 8 * 8)

    def _strip(self, x: Tensor, first: str, second: str, pool: bool, start: int, stop: int) -> Tensor:
        """Rows start to stop of a block's input, as the block's output."""
        height = x.shape[2]
        above, below = max(HALO - start, 0), max(stop + HALO - height, 0)  # outside of the image
        rows = x[:, :, max(start - HALO, 0) : stop + HALO]
        y = self._convolve(F.pad(rows, (0, 0, above, below)), first, (0, 1)).relu_()
        # The second convolution, too, has zeros around the image, not what the first one makes of zeros.
        if above:
            y[:, :, : above - 1] = 0
        if below:
            y[:, :, y.shape[2] - below + 1 :] = 0
        y = self._convolve(y, second, (0, 1)).relu_()
        return F.max_pool2d(y, 2) if pool else y

    def _convolve(self, x: Tensor, layer: str, padding: tuple[int, int]) -> Tensor:
        return F.conv2d(x, *self._layers[layer], padding=padding)
