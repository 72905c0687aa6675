"""A point cloud as plain arrays. numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Points:
    """n points in the model's frame; properties missing in a file are None.

    xyz: float32 [n, 3]. rgb: uint8 [n, 3], sRGB. normals: float32 [n, 3]. views: int32 [n], the number of
    photos that saw the point.
    """

    xyz: np.ndarray
    rgb: np.ndarray | None = None
    normals: np.ndarray | None = None
    views: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.xyz)

    def finite(self) -> Points:
        """The points without those that have a non-finite coordinate."""
        # The overall sum is finite for almost every cloud, which avoids testing each point.
        if np.isfinite(self.xyz.sum(dtype=np.float64)):
            return self
        return self.select(np.isfinite(self.xyz).all(axis=1))

    def select(self, keep: np.ndarray) -> Points:
        """The points where `keep` [n] is true."""
        rgb, normals, views = (None if a is None else a[keep] for a in (self.rgb, self.normals, self.views))
        return Points(self.xyz[keep], rgb, normals, views)


def robust_box(xyz: np.ndarray, share: float = 0.98) -> tuple[np.ndarray, np.ndarray]:
    """The box [3], [3] of the middle `share` of the points along each axis, which ignores outliers."""
    step = max(1, len(xyz) // 200_000)
    tail = (1 - share) / 2
    low, high = np.quantile(xyz[::step], [tail, 1 - tail], axis=0)
    return low, high
