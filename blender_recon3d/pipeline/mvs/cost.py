"""How well a map of planes explains what the neighbouring photos see: zero-mean normalised cross-correlation.

A plane per pixel is held in inverse depth, which is linear in pixels: w(x, y) = 1/z. Every pixel is sampled in
the other photos at its own plane's depth, and windows are taken over the samples: they follow the surface as
soon as neighbouring pixels carry its planes, with one sample a pixel and view instead of a whole patch.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

OUTSIDE = 2.0  # the cost of a sample outside the other photo: that of perfect anticorrelation
VARIANCE_FLOOR = 1e-5  # of grey values in 0..1: below is noise, not texture


class MatchingCost:
    """The cost of depth hypotheses for one reference photo against its sources.

    reference [H, W] and sources (each [Hs, Ws]): grey values in 0..1. intrinsics [3, 3] of each in pixels with
    the first centre at .5; relative: source_from_reference [3, 4]. radius: of the square window, pixels.
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
        self._mean = box_mean(reference[None], radius)[0]
        self._variance = box_mean(reference[None] ** 2, radius)[0] - self._mean**2
        self._sources = sources
        self._rays, self._offsets = [], []
        pixels = pixel_grid(self.height, self.width, self.device)
        # In double precision on the CPU: Apple's GPUs have no doubles.
        inverse = torch.linalg.inv(reference_intrinsics.double().cpu())
        for source, intrinsics, pose in zip(sources, source_intrinsics, relative, strict=True):
            height, width = source.shape
            # From pixels to grid_sample's range of -1..1 between the photo's edges.
            to_grid = torch.tensor([[2 / width, 0, -1], [0, 2 / height, -1], [0, 0, 1]], dtype=torch.float64)
            projection = to_grid @ intrinsics.double().cpu()
            ray = (projection @ pose[:, :3].double().cpu() @ inverse).float().to(self.device)
            self._rays.append(torch.einsum("ij,jhw->ihw", ray, pixels))
            offset = (projection @ pose[:, 3].double().cpu()).float()
            self._offsets.append(offset.to(self.device))

    def __call__(self, inverse_depth: Tensor) -> Tensor:
        """inverse_depth [H, W] to cost [H, W] in 0..2: the mean of the two best views, 0 is perfect."""
        best = second = None
        for index in range(len(self._sources)):
            cost = self._one_view(index, inverse_depth)
            if best is None:
                best = cost
            elif second is None:
                second = torch.maximum(best, cost)
                best = torch.minimum(best, cost)
            else:
                second = torch.minimum(second, torch.maximum(best, cost))
                best = torch.minimum(best, cost)
        assert best is not None, "a reference without sources is never estimated"
        return best if second is None else (best + second) * 0.5

    def parallax_step(self, inverse_depth: float) -> float:
        """The change of inverse depth that moves a sample by one pixel: the median over pixels, mean of views."""
        speeds = []
        for ray, offset, source in zip(self._rays, self._offsets, self._sources, strict=True):
            depth = ray[2] + offset[2] * inverse_depth
            # d(q / q_z) / dw for q = ray + offset w, from grid units to the source's pixels
            x = (offset[0] * ray[2] - offset[2] * ray[0]) / depth**2 * (source.shape[1] / 2)
            y = (offset[1] * ray[2] - offset[2] * ray[1]) / depth**2 * (source.shape[0] / 2)
            speeds.append(float(torch.hypot(x, y).median()))
        return 1.0 / max(sum(speeds) / len(speeds), 1e-9)

    def _one_view(self, index: int, inverse_depth: Tensor) -> Tensor:
        ray, offset = self._rays[index], self._offsets[index]
        depth = ray[2] + offset[2] * inverse_depth
        x = (ray[0] + offset[0] * inverse_depth) / depth
        y = (ray[1] + offset[1] * inverse_depth) / depth
        source = self._sources[index][None, None]
        grid = torch.stack([x, y], dim=-1)[None]
        value = functional.grid_sample(source, grid, mode="bilinear", align_corners=False)[0, 0]
        stack = torch.stack([value, value * value, value * self._reference])
        mean, square, product = box_mean(stack, self.radius)
        variance = square - mean * mean
        covariance = product - mean * self._mean
        scale = (variance.clamp_min(VARIANCE_FLOOR) * self._variance.clamp_min(VARIANCE_FLOOR)).sqrt()
        cost = 1 - (covariance / scale).clamp(-1, 1)
        outside = (x.abs() > 1) | (y.abs() > 1) | (depth <= 0)
        return torch.where(outside, OUTSIDE, cost)


def reference_cost(
    reference: Tensor,
    source: Tensor,
    reference_intrinsics: Tensor,
    source_intrinsics: Tensor,
    relative: Tensor,
    inverse_depth: Tensor,
    radius: int,
    row: int,
    column: int,
) -> float:
    """The same cost for one pixel and one source, sample by sample as the definition says: slow, for tests."""
    inverse = torch.linalg.inv(reference_intrinsics.double())
    ours, theirs = [], []
    for y in range(row - radius, row + radius + 1):
        for x in range(column - radius, column + radius + 1):
            ray = inverse @ torch.tensor([x + 0.5, y + 0.5, 1.0], dtype=torch.float64)
            point = ray / float(inverse_depth[y, x])
            seen = source_intrinsics.double() @ (relative[:, :3].double() @ point + relative[:, 3].double())
            ours.append(float(reference[y, x]))
            theirs.append(_bilinear(source, float(seen[0] / seen[2]) - 0.5, float(seen[1] / seen[2]) - 0.5))
    one, other = torch.tensor(ours).double(), torch.tensor(theirs).double()
    one, other = one - one.mean(), other - other.mean()
    scale = ((one**2).mean().clamp_min(VARIANCE_FLOOR) * (other**2).mean().clamp_min(VARIANCE_FLOOR)).sqrt()
    return float(1 - ((one * other).mean() / scale).clamp(-1, 1))


def _bilinear(image: Tensor, x: float, y: float) -> float:
    left, top = int(x // 1), int(y // 1)
    total = 0.0
    for row, weight_y in ((top, top + 1 - y), (top + 1, y - top)):
        for column, weight_x in ((left, left + 1 - x), (left + 1, x - left)):
            if 0 <= row < image.shape[0] and 0 <= column < image.shape[1]:
                total += weight_x * weight_y * float(image[row, column])
    return total


def pixel_grid(height: int, width: int, device: torch.device) -> Tensor:
    """Homogeneous pixel centres float32 [3, H, W]: (x + .5, y + .5, 1)."""
    y, x = torch.meshgrid(
        torch.arange(height, device=device, dtype=torch.float32) + 0.5,
        torch.arange(width, device=device, dtype=torch.float32) + 0.5,
        indexing="ij",
    )
    return torch.stack([x, y, torch.ones_like(x)])


def box_mean(values: Tensor, radius: int) -> Tensor:
    """Mean over square windows [C, H, W], edges repeated: sums of shifted copies, first along x, then y."""
    side = 2 * radius + 1
    height, width = values.shape[-2:]
    padded = functional.pad(values[None], (radius,) * 4, mode="replicate")[0]
    rows = padded[..., :width].clone()
    for shift in range(1, side):
        rows += padded[..., shift : shift + width]
    total = rows[..., :height, :].clone()
    for shift in range(1, side):
        total += rows[..., shift : shift + height, :]
    return total.mul_(1.0 / side**2)
