"""How well a map of planes explains the neighboring photos: zero-mean normalized cross-correlation.

Each pixel's plane is represented in inverse depth, which is linear in pixels: w(x, y) = 1/z. Every pixel is sampled in
the other photos at its own plane's depth, and windows are taken over the samples: they follow the surface as soon as
neighboring pixels have its planes, with one sample per pixel and view instead of a whole patch.

Maps are processed in strips of rows: the working set of a strip fits into the processor's cache, which is twice as fast
and takes the same memory whatever the photo's size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

OUTSIDE = 2.0  # cost of a sample outside the other photo, as of perfect anticorrelation
VARIANCE_FLOOR = 1e-5  # of gray values in 0..1: less is noise, not texture
STRIP_PIXELS = {"cpu": 1 << 18, "cuda": 1 << 24, "mps": 1 << 22}  # approximate size of a strip


@dataclass(frozen=True)
class Strip:
    """Some rows of a map, and the padded range that their windows reach."""

    rows: slice
    padded: slice


def strip_rows(values: Tensor) -> int:
    """The number of rows of a map [H, W] in a strip."""
    return max(1, STRIP_PIXELS[values.device.type] // values.shape[-1])


class MatchingCost:
    """The cost of depth hypotheses for one reference photo against its sources.

    reference [H, W] and sources (each [Hs, Ws]): gray values in 0..1. intrinsics [3, 3] of each in pixels with
    the first center at .5; relative: source_from_reference [3, 4]. radius: of the square window, pixels.
    """

    def __init__(
        self,
        reference: Tensor,
        sources: list[Tensor],
        reference_intrinsics: Tensor,
        source_intrinsics: list[Tensor],
        relative: list[Tensor],
        radius: int,
    ) -> None:
        self.device = reference.device
        self.radius = radius
        self.height, self.width = reference.shape
        self._reference = reference
        self._sources = sources
        self._mean = torch.empty_like(reference)
        self._inverse_deviation = torch.empty_like(reference)
        for strip in self.strips():
            value = reference[strip.padded]
            mean, square = self._windows(strip, value, value * value)
            self._mean[strip.rows] = mean
            variance = torch.addcmul(square, mean, mean, value=-1)
            self._inverse_deviation[strip.rows] = variance.clamp_min_(VARIANCE_FLOOR).rsqrt_()
        self._x = torch.arange(self.width, device=self.device, dtype=torch.float32) + 0.5
        self._y = torch.arange(self.height, device=self.device, dtype=torch.float32) + 0.5
        # The position of pixel (x, y) at inverse depth w in each source: rays (x, y, 1) + offset w, from -1 to 1
        # between the photo's edges. In double precision on the CPU: Apple's GPUs have no doubles.
        self._rays: list[list[list[float]]] = []
        self._offsets: list[list[float]] = []
        inverse = torch.linalg.inv(reference_intrinsics.double().cpu())
        for source, intrinsics, pose in zip(sources, source_intrinsics, relative, strict=True):
            height, width = source.shape
            to_grid = torch.tensor([[2 / width, 0, -1], [0, 2 / height, -1], [0, 0, 1]], dtype=torch.float64)
            projection = to_grid @ intrinsics.double().cpu()
            self._rays.append((projection @ pose[:, :3].double().cpu() @ inverse).tolist())
            self._offsets.append((projection @ pose[:, 3].double().cpu()).tolist())

    def strips(self) -> Iterator[Strip]:
        """The strips of the whole map from top to bottom."""
        height = strip_rows(self._reference)
        for top in range(0, self.height, height):
            bottom = min(self.height, top + height)
            padded = slice(max(0, top - self.radius), min(self.height, bottom + self.radius))
            yield Strip(slice(top, bottom), padded)

    def __call__(self, inverse_depth: Tensor) -> Tensor:
        """inverse_depth [H, W] to cost [H, W] in 0..2: the mean of the two best views, 0 is perfect."""
        cost = torch.empty_like(inverse_depth)
        for strip in self.strips():
            cost[strip.rows] = self.of_strip(inverse_depth[strip.padded], strip)
        return cost

    def of_strip(self, inverse_depth: Tensor, strip: Strip) -> Tensor:
        """The cost for a strip's rows; inverse_depth: of its padded rows."""
        best = second = None
        for index in range(len(self._sources)):
            cost = self._one_view(index, inverse_depth, strip)
            if best is None:
                best = cost
            elif second is None:
                second = torch.maximum(best, cost)
                best = torch.minimum(best, cost)
            else:
                second = torch.minimum(second, torch.maximum(best, cost))
                best = torch.minimum(best, cost)
        assert best is not None, "a reference without sources is never estimated"
        return best if second is None else (best + second).mul_(0.5)

    def parallax_step(self, inverse_depth: float) -> float:
        """The change of inverse depth that moves a sample by one pixel: the median over pixels, mean of views."""
        speeds = []
        x, y = self._x[None, ::4], self._y[::4, None]
        for ray, offset, source in zip(self._rays, self._offsets, self._sources, strict=True):
            q = [a * x + b * y + c for a, b, c in ray]
            depth = q[2] + offset[2] * inverse_depth
            # d(q / q_z) / dw for q = ray + offset w, from grid units to the source's pixels
            across = (offset[0] * q[2] - offset[2] * q[0]) / depth**2 * (source.shape[1] / 2)
            down = (offset[1] * q[2] - offset[2] * q[1]) / depth**2 * (source.shape[0] / 2)
            speeds.append(float(torch.hypot(across, down).median()))
        return 1.0 / max(sum(speeds) / len(speeds), 1e-9)

    def _one_view(self, index: int, inverse_depth: Tensor, strip: Strip) -> Tensor:
        x, y = self._x[None], self._y[strip.padded, None]
        q = torch.empty(3, *inverse_depth.shape, device=self.device)
        for part, (a, b, c), offset in zip(q, self._rays[index], self._offsets[index], strict=True):
            torch.add(a * x + c, b * y, out=part).add_(inverse_depth, alpha=offset)
        scale = q[2].clamp_min_(1e-9).reciprocal_()  # points behind the camera are projected far outside
        place = q[:2].mul_(scale)
        value = functional.grid_sample(
            self._sources[index][None, None], place.permute(1, 2, 0)[None], align_corners=False
        )[0, 0]
        mean, square, product = self._windows(
            strip, value, value * value, value * self._reference[strip.padded]
        )
        deviation = torch.addcmul(square, mean, mean, value=-1).clamp_min_(VARIANCE_FLOOR).rsqrt_()
        covariance = torch.addcmul(product, mean, self._mean[strip.rows], value=-1)
        cost = (
            covariance.mul_(deviation).mul_(self._inverse_deviation[strip.rows]).neg_().add_(1).clamp_(0, 2)
        )
        own = slice(strip.rows.start - strip.padded.start, strip.rows.stop - strip.padded.start)
        farthest = torch.maximum(place[0, own].abs_(), place[1, own].abs_())
        return torch.maximum(cost, above(farthest, 1.0).mul_(OUTSIDE), out=cost)

    def _windows(self, strip: Strip, *maps: Tensor) -> list[Tensor]:
        """Means [R, W] over the windows of a strip's rows of maps [P, W]; the photo's edges are repeated."""
        first = strip.rows.start - strip.padded.start
        own = slice(first, first + strip.rows.stop - strip.rows.start)
        return [values[own] for values in window_means(maps, self.radius)]


def window_means(maps: Sequence[Tensor], radius: int) -> list[Tensor]:
    """Means over square windows of maps [H, W]; edges are repeated."""
    side = 2 * radius + 1
    if maps[0].device.type == "cpu":  # OpenCV's filter is ten times as fast as torch's pooling
        kernel = np.full(side, 1 / side, np.float32)
        return [torch.from_numpy(_filtered(values.numpy(), kernel)) for values in maps]
    return pooled_means(maps, radius)


def pooled_means(maps: Sequence[Tensor], radius: int) -> list[Tensor]:
    """`window_means` on any device."""
    padded = functional.pad(torch.stack(list(maps))[None], (radius,) * 4, mode="replicate")
    return list(functional.avg_pool2d(padded, 2 * radius + 1, stride=1)[0])


def _filtered(values: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return cv2.sepFilter2D(values, -1, kernel, kernel, borderType=cv2.BORDER_REPLICATE)


def above(values: Tensor, limit: Tensor | float) -> Tensor:
    """1.0 where values > limit, else 0.0: on a CPU six times faster than bools, and `choose` than torch.where."""
    if values.device.type != "cpu":
        return (values > limit).to(values.dtype)
    return torch.gt(values, limit, out=torch.empty_like(values))


def choose(mask: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    """yes where the mask of `above` is 1, else no; both finite."""
    return torch.lerp(no, yes, mask)
