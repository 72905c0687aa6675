"""The undistorted photos in gray, all in memory, reduced in size if there is too little of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from ..events import Progress
from ..mvs.depth_views import View, load_scene
from ..mvs.pinhole import Pinhole, scaled_intrinsics


@dataclass(frozen=True, eq=False)  # compared by identity: arrays have no single truth value
class GrayView(Pinhole):
    """A photo of width x height pixels, uint8 [height, width], and its camera.

    intrinsics [3, 3] in these pixels (first center at .5); cam_from_world [3, 4] in the model's frame.
    """

    name: str
    gray: np.ndarray
    intrinsics: np.ndarray
    cam_from_world: np.ndarray

    @property
    def width(self) -> int:
        return int(self.gray.shape[1])

    @property
    def height(self) -> int:
        return int(self.gray.shape[0])

    def at(self, scale: float, device: torch.device) -> tuple[Tensor, np.ndarray]:
        """The photo resized, float32 in 0..1 [H, W], and its intrinsics."""
        intrinsics, width, height = self.scaled(scale)
        small = self.gray
        if (width, height) != (self.width, self.height):
            small = cv2.resize(small, (width, height), interpolation=cv2.INTER_AREA)
        return torch.from_numpy(small).to(device).float() / 255, intrinsics


def gray_views(dense: Path, max_bytes: float, progress: Progress) -> list[GrayView]:
    """The photos of a dense workspace, all scaled so that together they take at most `max_bytes`.

    UserError when a photo cannot be read; Cancelled.
    """
    views = load_scene(dense, 1).views
    total = sum(view.width * view.height for view in views)
    scale = min(1.0, (max_bytes / max(1, total)) ** 0.5)
    gray = []
    for number, view in enumerate(views):
        progress.update(number, len(views), "reading photos")
        gray.append(_resized(view, scale))
    return gray


def _resized(view: View, scale: float) -> GrayView:
    gray = view.read_gray()
    if scale < 1:
        size = (max(1, round(view.width * scale)), max(1, round(view.height * scale)))
        gray = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    height, width = gray.shape
    intrinsics = scaled_intrinsics(view.intrinsics, width / view.width, height / view.height)
    return GrayView(view.name, np.ascontiguousarray(gray), intrinsics, view.cam_from_world)
