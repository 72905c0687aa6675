"""SuperPoint: interest points and descriptors of a gray image, in one file.

Written from the paper (DeTone, Malisiewicz, Rabinovich: "SuperPoint: Self-Supervised Interest Point Detection and
Description", CVPRW 2018, arXiv:1712.07629). The parameters have the names of the published checkpoint (`conv1a` ...
`convDb`), so that it and ours load into the same network.

Pixels: inside the network the first pixel center is (0, 0), as in the paper; `to_full_image` maps to COLMAP's
convention, where it is (0.5, 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor, nn

from .between_pixels import between_pixels

CELL = 8  # pixels: the encoder halves the resolution three times
DESCRIPTOR_SIZE = 256


@dataclass(frozen=True)
class SuperPointSettings:
    """How keypoints are chosen from the score map.

    nms_radius: pixels; no two keypoints are closer than this in x and in y.
    threshold: minimum probability of a keypoint.
    border: pixels at each edge of the image without keypoints.
    max_keypoints: the strongest are kept.
    published_sampling: descriptors are sampled from the coarse map where the published code does, up to 3.5 px away
    from
        the keypoint at the right and lower edge; False samples them exactly at the keypoint.
    subpixel: keypoints move to the corner within their pixel or next to it (`between_pixels`).
    """

    nms_radius: int = 4
    threshold: float = 0.005
    border: int = 4
    max_keypoints: int = 4096
    published_sampling: bool = True
    subpixel: bool = False


@dataclass
class Keypoints:
    """The keypoints of one image. keypoints: float32 [N, 2], x and y, first pixel center (0, 0); scores: [N],
    descending; descriptors: [N, 256], of length 1."""

    keypoints: Tensor
    scores: Tensor
    descriptors: Tensor


class SuperPoint(nn.Module):
    """The network of section 3 of the paper: a shared VGG encoder, a detector and a descriptor head."""

    def __init__(self, settings: SuperPointSettings | None = None) -> None:
        super().__init__()
        self.settings = settings or SuperPointSettings()
        self.conv1a = nn.Conv2d(1, 64, 3, padding=1)
        self.conv1b = nn.Conv2d(64, 64, 3, padding=1)
        self.conv2a = nn.Conv2d(64, 64, 3, padding=1)
        self.conv2b = nn.Conv2d(64, 64, 3, padding=1)
        self.conv3a = nn.Conv2d(64, 128, 3, padding=1)
        self.conv3b = nn.Conv2d(128, 128, 3, padding=1)
        self.conv4a = nn.Conv2d(128, 128, 3, padding=1)
        self.conv4b = nn.Conv2d(128, 128, 3, padding=1)
        self.convPa = nn.Conv2d(128, 256, 3, padding=1)
        self.convPb = nn.Conv2d(256, CELL * CELL + 1, 1)
        self.convDa = nn.Conv2d(128, 256, 3, padding=1)
        self.convDb = nn.Conv2d(256, DESCRIPTOR_SIZE, 1)

    def dense(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The two heads, before keypoints are chosen (for training).

        images: float [B, 1, H, W] in [0, 1]; H and W at least 8, preferably multiples of 8 (the remainder at the right
        and lower edge influences its neighbors, but has no keypoints). Returns float32 logits [B, 65, H // 8, W // 8],
        the last channel being "no keypoint here", and float32 descriptors [B, 256, H // 8, W // 8] of length 1.
        """
        x = images
        for first, second, pool in (
            (self.conv1a, self.conv1b, True),
            (self.conv2a, self.conv2b, True),
            (self.conv3a, self.conv3b, True),
            (self.conv4a, self.conv4b, False),
        ):
            x = F.relu(second(F.relu(first(x))))
            if pool:
                x = F.max_pool2d(x, 2)
        detector, descriptor = F.relu(self.convPa(x)), F.relu(self.convDa(x))
        # The last layers stay in fp32 under autocast: in bf16 neighboring scores tie and survive the NMS.
        with torch.autocast(images.device.type, enabled=False):
            logits = self.convPb(detector.float())
            descriptors = F.normalize(self.convDb(descriptor.float()), dim=1)
        return logits, descriptors

    def forward(
        self, images: Tensor, masks: Tensor | None = None, sizes: list[tuple[int, int]] | None = None
    ) -> list[Keypoints]:
        """Keypoints and descriptors of a batch of images of one size.

        images: as in `dense`.
        masks: bool [B, H, W], False where no keypoint may be.
        sizes: (height, width) of each image without the padding at its right and lower edge.
        """
        return keypoints_of(*self.dense(images), self.settings, images, masks, sizes)


def keypoints_of(
    logits: Tensor,
    descriptors: Tensor,
    settings: SuperPointSettings,
    images: Tensor,
    masks: Tensor | None = None,
    sizes: list[tuple[int, int]] | None = None,
) -> list[Keypoints]:
    """The keypoints from the results of `SuperPoint.dense`; images, masks and sizes as in `SuperPoint.forward`."""
    scores = score_map(logits)
    height, width = scores.shape[-2:]
    if masks is not None:  # before the suppression: masked points must not suppress their neighbors
        scores = scores * masks[:, :height, :width].to(scores.dtype)
    peaks = non_maximum_suppression(scores, settings.nms_radius)
    keypoints = []
    for index in range(len(scores)):
        size = (height, width) if sizes is None else sizes[index]
        xy, strength = choose_keypoints(peaks[index], size, settings)
        if settings.subpixel:
            rows, columns = (min(own, whole) for own, whole in zip(size, (height, width), strict=True))
            area = (slice(0, rows), slice(0, columns))
            allowed = None if masks is None else masks[index][area]
            xy = between_pixels(xy, images[index, 0], scores[index][area], allowed)
        sampled = sample_descriptors(xy, descriptors[index], settings.published_sampling)
        keypoints.append(Keypoints(xy, strength, sampled))
    return keypoints


def score_map(logits: Tensor) -> Tensor:
    """Probabilities [B, 8 h, 8 w] from logits [B, 65, h, w]: softmax over the 64 pixels of a cell and the
    65th class "none of them", which is then dropped (section 3.2)."""
    return F.pixel_shuffle(logits.softmax(dim=1)[:, :-1], CELL).squeeze(1)


def non_maximum_suppression(scores: Tensor, radius: int, rounds: int = 2) -> Tensor:
    """Zero all but the local maxima of scores [B, H, W] in squares of 2 radius + 1 pixels.

    A maximum suppresses its whole square; maxima among the remaining pixels are then taken too, for `rounds` further
    rounds; two are all that the greedy algorithm needs in practice.
    """

    maxima = scores == window_maximum(scores, radius)
    for _ in range(rounds):
        suppressed = window_maximum(maxima, radius)
        remaining = scores.masked_fill(suppressed, 0)
        maxima |= (remaining == window_maximum(remaining, radius)) & ~suppressed
    return scores * maxima


def window_maximum(values: Tensor, radius: int) -> Tensor:
    """The maximum of values [..., H, W], numbers or bools, over the square of 2 radius + 1 around each pixel.

    The maximum over a square is separable, and a window of 8 is two of 4: maxima of shifted copies, which give the same
    as `max_pool2d` in a tenth of its time on a CPU.
    """
    larger = torch.logical_or if values.dtype == torch.bool else torch.maximum
    lowest = 0 if values.dtype == torch.bool else -torch.inf
    width = 2 * radius + 1
    for dim in (-1, -2):
        length = values.shape[dim]
        values = F.pad(values, (radius, radius) if dim == -1 else (0, 0, radius, radius), value=lowest)
        reach = 1
        while reach < width:
            step = min(reach, width - reach)
            size = values.shape[dim] - step
            values = larger(values.narrow(dim, 0, size), values.narrow(dim, step, size))
            reach += step
        values = values.narrow(dim, 0, length)
    return values


def choose_keypoints(
    scores: Tensor, size: tuple[int, int], settings: SuperPointSettings
) -> tuple[Tensor, Tensor]:
    """The strongest keypoints of one suppressed score map [H, W], strongest first.

    size: (height, width) of the image within the map. Returns xy float32 [N, 2] and scores [N].
    """
    border = settings.border
    height, width = min(size[0], scores.shape[0]), min(size[1], scores.shape[1])
    inner = scores[border : max(border, height - border), border : max(border, width - border)]
    rows, columns = torch.nonzero(inner > settings.threshold, as_tuple=True)
    strength = inner[rows, columns]
    # A stable order, so that equal scores are sorted alike on every device and in every batch.
    order = torch.argsort(strength, descending=True, stable=True)[: settings.max_keypoints]
    xy = torch.stack([columns[order], rows[order]], dim=-1).to(torch.float32) + border
    return xy, strength[order]


def sample_descriptors(xy: Tensor, descriptors: Tensor, published_sampling: bool = True) -> Tensor:
    """Descriptors [N, 256] of length 1 at keypoints xy [N, 2], bilinear in the coarse map [256, h, w].

    The center of coarse cell i is at pixel 8 i + 3.5. The published code distributes the cells over the image slightly
    differently, and its networks were trained with that, hence `published_sampling`.
    """
    height, width = descriptors.shape[-2:]
    size = torch.tensor([width, height], dtype=xy.dtype, device=xy.device)
    if published_sampling:
        grid = 2 * (xy - CELL / 2 + 0.5) / (size * CELL - CELL / 2 - 0.5) - 1
        corners = True
    else:
        grid = 2 * (xy + 0.5) / (size * CELL) - 1
        corners = False
    sampled = F.grid_sample(
        descriptors.unsqueeze(0), grid.view(1, 1, -1, 2), padding_mode="border", align_corners=corners
    )
    return F.normalize(sampled[0, :, 0].T, dim=-1)


def to_full_image(xy: Tensor, scale: tuple[float, float]) -> Tensor:
    """Keypoints of a resized image as COLMAP pixels of the full one: x_full = (x + 0.5) scale_x.

    scale: full width / resized width and full height / resized height.
    """
    return (xy + 0.5) * torch.tensor(scale, dtype=xy.dtype, device=xy.device)
