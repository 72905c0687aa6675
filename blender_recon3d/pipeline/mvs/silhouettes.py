"""Finds pixels with a depth not their own: flat ones next to a strong edge, as the sky next to a statue.

A window at a silhouette sees the edge whichever side its center is on, and matches at the depth of the foreground: the
sky gets a fringe. Such a pixel has no texture at all among the pixels of its own shade, while the window has plenty,
and there is no depth around it on one side. Flat surfaces without a strong edge nearby are not affected: what little
texture they have is their own.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .cost import strip_rows, window_means

SHADE = 0.03  # gray values (0..1) that count as the pixel's own shade, as a Gaussian's sigma
FLAT = 0.016  # standard deviation among these; below, there is no texture
FILLED = 0.85  # share of the surrounding pixels that have depth, if there is a surface on both sides
EDGE = 0.09  # standard deviation of the whole window; above, there is a strong edge


def borrowed(photo: Tensor, depth: Tensor, radius: int) -> Tensor:
    """bool [H, W]: where depth comes from an edge between other shades; photo [H, W], gray values in 0..1; depth [H,
    W], 0 is none; radius: of the matching windows."""
    mean, square = window_means([photo, photo * photo], radius)
    suspect = (square - mean * mean) > EDGE**2
    suspect &= (depth > 0) & (window_means([(depth > 0).float()], 2 * radius)[0] < FILLED)
    flat = torch.zeros_like(photo)
    padded = functional.pad(photo[None, None], (radius,) * 4, mode="replicate")[0, 0]
    rows = strip_rows(photo)
    for top in range(0, len(photo), rows):
        part = slice(top, min(len(photo), top + rows))
        if bool(suspect[part].any()):
            around = padded[part.start : part.stop + 2 * radius]
            flat[part] = (_own_variance(photo[part], around, radius) < FLAT**2).float() * suspect[part]
    # Includes adjacent pixels, in which both shades are mixed.
    return (functional.max_pool2d(flat[None, None], 3, 1, 1)[0, 0] > 0) & suspect


def _own_variance(photo: Tensor, around: Tensor, radius: int) -> Tensor:
    """The variance [R, W] among those pixels of each window that have its center's shade."""
    height, width = photo.shape
    total, first, second = (torch.zeros_like(photo) for _ in range(3))
    for dy in range(2 * radius + 1):
        for dx in range(2 * radius + 1):
            # Differences to the center: the variance of numbers near 1 would be lost in rounding.
            difference = around[dy : dy + height, dx : dx + width] - photo
            weight = (difference * (0.5**0.5 / SHADE)).square_().neg_().exp_()
            total += weight
            weighted = weight.mul_(difference)
            first += weighted
            second += weighted.mul_(difference)
    mean = first / total
    return second / total - mean * mean
