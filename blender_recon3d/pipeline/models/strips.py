"""Blocks of two convolutions on large images, strip by strip.

Their cost on a CPU is memory, not arithmetic: a photo's first feature maps have 64 channels per pixel. Here a block is
computed for as many rows at a time as fit into the cache, with the margin of rows that it needs, so that the result is
the same.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor

STRIP_BYTES = 4 * 2**20  # of one feature map: fits into a core's caches
HALO = 2  # rows that two 3x3 convolutions need beyond each edge

Layer = tuple[Tensor, Tensor]  # weight and bias of a convolution


def block(x: Tensor, first: Layer, second: Layer, pool: bool, strip_bytes: int = STRIP_BYTES) -> Tensor:
    """Two 3x3 convolutions and, if `pool`, 2x2 max pooling: [B, C, H, W] to [B, C', H // 2, W // 2].

    strip_bytes: size of the part of the feature map computed at a time on a CPU; a GPU computes all at once.
    """
    height = x.shape[2]
    end = height // 2 * 2 if pool else height  # an odd row is in no window
    step = _strip_rows(x, len(first[0]), strip_bytes)
    strips = [_strip(x, first, second, pool, start, min(start + step, end)) for start in range(0, end, step)]
    return strips[0] if len(strips) == 1 else torch.cat(strips, dim=2)


def _strip_rows(x: Tensor, channels: int, strip_bytes: int) -> int:
    """The number of rows at a time; a multiple of 8, so that no 2x2 window is cut."""
    batch, _, height, width = x.shape
    if x.device.type != "cpu":
        return height
    return max(8, strip_bytes // (batch * width * channels * x.element_size()) // 8 * 8)


def _strip(x: Tensor, first: Layer, second: Layer, pool: bool, start: int, stop: int) -> Tensor:
    """The block's output for rows start to stop of its input."""
    height = x.shape[2]
    above, below = max(HALO - start, 0), max(stop + HALO - height, 0)  # outside the image
    rows = x[:, :, max(start - HALO, 0) : stop + HALO]
    y = F.conv2d(F.pad(rows, (0, 0, above, below)), *first, padding=(0, 1)).relu_()
    # The second convolution also has zeros around the image, not the first one's response to zeros.
    if above:
        y[:, :, : above - 1] = 0
    if below:
        y[:, :, y.shape[2] - below + 1 :] = 0
    y = F.conv2d(y, *second, padding=(0, 1)).relu_()
    return F.max_pool2d(y, 2) if pool else y
