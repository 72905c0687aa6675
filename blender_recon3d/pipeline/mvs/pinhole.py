"""Common parts of photos without distortion: the camera's position, and resizing."""

from __future__ import annotations

from typing import Any

import numpy as np


class Pinhole:
    """width, height: pixels; intrinsics [3, 3] in them (first center at .5); cam_from_world [3, 4], model's frame."""

    width: Any
    height: Any
    intrinsics: np.ndarray
    cam_from_world: np.ndarray

    @property
    def center(self) -> np.ndarray:
        """The camera's center, [3]."""
        return -self.cam_from_world[:, :3].T @ self.cam_from_world[:, 3]

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """Points [N, 3] of the model's frame in the camera's frame."""
        return points @ self.cam_from_world[:, :3].T + self.cam_from_world[:, 3]

    def scaled(self, scale: float) -> tuple[np.ndarray, int, int]:
        """Intrinsics, width and height of the photo resized by about `scale`."""
        width, height = max(1, round(self.width * scale)), max(1, round(self.height * scale))
        resized = scaled_intrinsics(self.intrinsics, width / self.width, height / self.height)
        return resized, width, height


def scaled_intrinsics(intrinsics: np.ndarray, scale_x: float, scale_y: float) -> np.ndarray:
    """Intrinsics of a photo resized by these factors; with centers at .5 the principal point just scales."""
    return np.diag([scale_x, scale_y, 1.0]) @ intrinsics
