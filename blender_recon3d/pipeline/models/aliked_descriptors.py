"""SuperPoint's second descriptor: 128 numbers in ALIKED's space, so that LightGlue's weights for ALIKED match our
keypoints.

The detector and the published descriptor are unchanged. This network takes SuperPoint's features after its second
block, continues with its own blocks down to 1/32 of the photo, and reads all levels at each keypoint. It is trained to
reproduce ALIKED's descriptors (Zhao et al. 2023, arXiv:2304.03608).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor, nn

from .superpoint import SuperPoint

DESCRIPTOR_SIZE = 128
COPIED = ("conv3a", "conv3b", "conv4a", "conv4b", "convDa")  # layers initialized from SuperPoint's
PATCH = 2.0  # pixels of the half-size map between the nine samples around a keypoint
HIDDEN = 384


def half_features(superpoint: SuperPoint, images: Tensor) -> Tensor:
    """SuperPoint's features [B, 64, H/2, W/2] after its second block; images: [B, 1, H, W] in [0, 1]."""
    x = F.relu(superpoint.conv1b(F.relu(superpoint.conv1a(images))))
    return F.relu(superpoint.conv2b(F.relu(superpoint.conv2a(F.max_pool2d(x, 2)))))


class AlikedDescriptors(nn.Module):
    """`forward` describes keypoints; the first layers have SuperPoint's names."""

    def __init__(self) -> None:
        super().__init__()
        self.conv3a = nn.Conv2d(64, 128, 3, padding=1)
        self.conv3b = nn.Conv2d(128, 128, 3, padding=1)
        self.conv4a = nn.Conv2d(128, 128, 3, padding=1)
        self.conv4b = nn.Conv2d(128, 128, 3, padding=1)
        self.convDa = nn.Conv2d(128, 256, 3, padding=1)
        self.convDb = nn.Conv2d(256, 256, 3, padding=1)
        self.convDc = nn.Conv2d(256, DESCRIPTOR_SIZE, 1)
        self.conv5 = nn.Conv2d(256, 128, 3, padding=1)  # at 1/16
        self.conv6a = nn.Conv2d(128, 128, 3, padding=1)  # at 1/32
        self.conv6b = nn.Conv2d(128, 128, 3, padding=1)
        self.fine = nn.Conv2d(64, 64, 1)
        self.patch = nn.Conv2d(64, 16, 1)
        self.quarter = nn.Conv2d(128, 64, 1)
        # The descriptor is a linear function of the coarse and the fine map, plus a correction from all of them.
        self.linear = nn.Linear(DESCRIPTOR_SIZE + 64, DESCRIPTOR_SIZE)
        self.hidden = nn.Linear(DESCRIPTOR_SIZE + 64 + 64 + 128 + 128 + 9 * 16, HIDDEN)
        self.correction = nn.Linear(HIDDEN, DESCRIPTOR_SIZE)

    def forward(self, half: Tensor, xy: Tensor) -> Tensor:
        """Descriptors float32 [B, N, 128] of length 1.

        half: from `half_features`; xy: [B, N, 2] in pixels of the photo, first pixel center (0, 0).
        """
        quarter = F.relu(self.conv3b(F.relu(self.conv3a(F.max_pool2d(half, 2)))))
        x = F.relu(self.conv4b(F.relu(self.conv4a(F.max_pool2d(quarter, 2)))))
        eighth = F.relu(self.convDb(F.relu(self.convDa(x))))
        sixteenth = F.relu(self.conv5(F.avg_pool2d(eighth, 2, ceil_mode=True)))
        x = F.avg_pool2d(sixteenth, 2, ceil_mode=True)
        coarsest = F.relu(self.conv6b(F.relu(self.conv6a(x))))
        coarse, fine = at(self.convDc(eighth), xy, 8), at(self.fine(half), xy, 2)
        with torch.autocast(half.device.type, enabled=False):
            levels = [coarse, fine, at(self.quarter(quarter.float()), xy, 4)]
            levels += [at(sixteenth, xy, 16), at(coarsest, xy, 32), _around(self.patch(half.float()), xy)]
            linear = self.linear(torch.cat(levels[:2], dim=-1))
            correction = self.correction(F.relu(self.hidden(torch.cat(levels, dim=-1))))
            return F.normalize(linear + correction, dim=-1)


def at(values: Tensor, xy: Tensor, cell: int) -> Tensor:
    """Values float32 [B, N, C] at xy [B, N, 2] in pixels of the photo, bilinear in a map [B, C, h, w] at 1/cell of its
    size: the center of cell i is at pixel cell i + (cell - 1) / 2."""
    size = torch.tensor([values.shape[-1], values.shape[-2]], device=xy.device)
    grid = 2 * (xy + 0.5) / (size * cell) - 1
    sampled = F.grid_sample(values.float(), grid[:, :, None], padding_mode="border", align_corners=False)
    return sampled[..., 0].transpose(1, 2)


def _around(values: Tensor, xy: Tensor) -> Tensor:
    """A half-size map's values [B, N, 9 C] at three by three points around each of xy."""
    steps = torch.arange(-1, 2, device=xy.device, dtype=xy.dtype) * (2 * PATCH)
    offsets = torch.cartesian_prod(steps, steps)
    points = (xy[:, :, None] + offsets).flatten(1, 2)
    return at(values, points, 2).unflatten(1, (-1, 9)).flatten(2)
