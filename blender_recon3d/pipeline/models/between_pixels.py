"""Subpixel keypoints: moves SuperPoint's keypoints from their pixel to the nearby corner.

The network's score tells which pixel has a corner, but not where in it. The corner itself is the peak of the gray
values' corner strength (Shi and Tomasi 1994), which is followed from the pixel for a few steps and interpolated by a
parabola. The score is included, so that a keypoint stays with the corner that the network found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor

SIGMA = 1.0  # pixels: of the gray values, of the corner strength, and of the scores
WEIGHT = 0.3  # of the score's logarithm relative to the corner strength's
STEPS = 2  # pixels; largest distance of the peak
FLAT = 1e-11  # corner strength of a surface without texture, for gray values in 0..1
UNLIKELY = 1e-3  # score of a pixel without a corner


def between_pixels(xy: Tensor, image: Tensor, scores: Tensor, allowed: Tensor | None = None) -> Tensor:
    """Whole-pixel keypoints [N, 2], strongest first, moved to their corners: float32 [N, 2], at most STEPS + 1 pixels.

    image: [H, W] in [0, 1]; scores: [H, W] or smaller, of the network's complete cells; allowed: bool, the scores'
    shape, where keypoints may be. A keypoint is not moved if it would leave the scores' area or the allowed area, if
    there is no peak, or if a stronger one has moved to the same pixel.
    """
    if not len(xy):
        return xy
    height, width = scores.shape
    strength = corner_strength(image[:height, :width].float())
    likely = smooth(scores.float())
    response = (strength + FLAT).log() + WEIGHT * (likely + UNLIKELY).log()
    start = xy.round().long()
    x, y = start.unbind(dim=1)
    x, y = x.clamp(1, width - 2), y.clamp(1, height - 2)
    for _ in range(STEPS):
        around = _around(response, x, y)
        step = around.argmax(dim=1)
        x = (x + step % 3 - 1).clamp(1, width - 2)
        y = (y + step // 3 - 1).clamp(1, height - 2)
    offset, peaked = _peak(_around(response, x, y))
    moved = torch.stack([x, y], dim=1) + offset
    pixel = moved.round().long()
    valid = peaked & (pixel >= 0).all(dim=1) & (pixel[:, 0] < width) & (pixel[:, 1] < height)
    if allowed is not None:
        valid &= allowed[pixel[:, 1].clamp(0, height - 1), pixel[:, 0].clamp(0, width - 1)]
    unique = -1 - torch.arange(len(xy), device=xy.device)
    valid &= _first_of_its_kind(torch.where(valid, pixel[:, 1] * width + pixel[:, 0], unique))
    return torch.where(valid[:, None], moved.to(xy.dtype), xy)


def corner_strength(image: Tensor) -> Tensor:
    """The smaller eigenvalue of the gradients' second moments, smoothed, [H, W], from gray values [H, W]."""
    gray = smooth(image)
    gx = filtered(filtered(gray, (-0.5, 0.0, 0.5), 1), (0.25, 0.5, 0.25), 0)
    gy = filtered(filtered(gray, (-0.5, 0.0, 0.5), 0), (0.25, 0.5, 0.25), 1)
    xx, xy, yy = (
        filtered(filtered(product, (1.0, 1.0, 1.0), 0), (1.0, 1.0, 1.0), 1)
        for product in (gx * gx, gx * gy, gy * gy)
    )
    smaller = (xx + yy) / 2 - (((xx - yy) / 2).square() + xy.square()).sqrt()
    return smooth(smaller.clamp(min=0))


def smooth(values: Tensor) -> Tensor:
    """Values [H, W] filtered with a Gaussian of SIGMA."""
    kernel = [math.exp(-0.5 * (offset / SIGMA) ** 2) for offset in range(-3, 4)]
    kernel = [weight / sum(kernel) for weight in kernel]
    return filtered(filtered(values, kernel, 0), kernel, 1)


def filtered(values: Tensor, kernel: Sequence[float], dim: int) -> Tensor:
    """Values [H, W] filtered with a kernel along one dimension, with replicated edges.

    Computed as a sum of shifted copies: with one channel a convolution takes ten times as long on a CPU.
    """
    reach, length = len(kernel) // 2, values.shape[dim]
    padding = (reach, reach, 0, 0) if dim == 1 else (0, 0, reach, reach)
    padded = F.pad(values[None, None], padding, mode="replicate")[0, 0]
    result = torch.zeros_like(values)
    for index, weight in enumerate(kernel):
        if weight:
            result.add_(padded.narrow(dim, index, length), alpha=weight)
    return result


def _around(response: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The three by three values around pixels, [N, 9], row by row."""
    steps = torch.arange(-1, 2, device=x.device)
    rows, columns = y[:, None, None] + steps[:, None], x[:, None, None] + steps
    return response[rows, columns].flatten(1)


def _peak(around: Tensor) -> tuple[Tensor, Tensor]:
    """The peak of the parabola through three by three values [N, 9], as an offset [N, 2], and whether there is one
    within the pixel."""
    v = around.unflatten(1, (3, 3))
    dx, dy = (v[:, 1, 2] - v[:, 1, 0]) / 2, (v[:, 2, 1] - v[:, 0, 1]) / 2
    xx = v[:, 1, 2] + v[:, 1, 0] - 2 * v[:, 1, 1]
    yy = v[:, 2, 1] + v[:, 0, 1] - 2 * v[:, 1, 1]
    xy = (v[:, 2, 2] + v[:, 0, 0] - v[:, 0, 2] - v[:, 2, 0]) / 4
    determinant = xx * yy - xy * xy
    curved = (determinant > 0) & (xx < 0)
    safe = torch.where(curved, determinant, torch.ones_like(determinant))
    offset = torch.stack([xy * dy - yy * dx, xy * dx - xx * dy], dim=1) / safe[:, None]
    peaked = curved & (offset.abs() < 1).all(dim=1)
    return torch.where(peaked[:, None], offset, torch.zeros_like(offset)), peaked


def _first_of_its_kind(codes: Tensor) -> Tensor:
    """Whether each code is the first of its value: bool [N]."""
    order = torch.arange(len(codes), device=codes.device)
    values, kind = codes.unique(return_inverse=True)
    first = torch.full((len(values),), len(codes), device=codes.device).scatter_reduce(0, kind, order, "amin")
    return first[kind] == order
