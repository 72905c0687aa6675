"""Cut 360-degree panoramas into perspective views: the six sides of a cube around the camera.

Together the views of one panorama are a rig with one center and known rotations, which later stages keep.
Equirectangular pixels: longitude runs from -180 degrees at the left to 180 at the right, latitude from 90 at the top.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from ..documents.photos_json import PhotoEntry, RigEntry, RigSensor

# From the panorama's frame (x right, y down, z forward) to each view's, in the rig's order.
SIDES: dict[str, np.ndarray] = {
    "front": np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    "right": np.array([[0, 0, -1], [0, 1, 0], [1, 0, 0]]),
    "back": np.array([[-1, 0, 0], [0, 1, 0], [0, 0, -1]]),
    "left": np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]]),
    "up": np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "down": np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]),
}
VIEW_MODEL = "SIMPLE_PINHOLE"
STRIP = 256  # rows cut at once


def side_pixels(width: int) -> int:
    """Sides of a view with the panorama's resolution in its middle; width: of the panorama."""
    return max(64, 2 * round(width / np.pi / 2))


def view_params(size: int) -> list[float]:
    """Focal length and principal point of a view of this size (SIMPLE_PINHOLE): 90 degrees across."""
    return [size / 2] * 3


def up_in_view(side: str) -> tuple[float, float, float]:
    """Up in the view's frame, for a camera held upright, as such cameras turn their pictures."""
    x, y, z = SIDES[side] @ (0.0, -1.0, 0.0)
    return float(x), float(y), float(z)


def cut(panorama: np.ndarray, side: str, nearest: bool = False) -> np.ndarray:
    """A view [S, S, C] of the panorama [H, W, C], or [S, S] of [H, W]. nearest: for masks."""
    height, width = panorama.shape[:2]
    size = side_pixels(width)
    around = cv2.copyMakeBorder(panorama, 0, 0, 1, 2, cv2.BORDER_WRAP)  # across the seam
    method = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    x = (np.arange(size) + 0.5) / (size / 2) - 1
    parts = []
    for start in range(0, size, STRIP):
        columns, rows = np.meshgrid(x, x[start : start + STRIP])
        rays = np.stack([columns, rows, np.ones_like(columns)], axis=-1) @ SIDES[side]
        longitude = np.arctan2(rays[..., 0], rays[..., 2])
        latitude = np.arctan2(-rays[..., 1], np.hypot(rays[..., 0], rays[..., 2]))
        across = (longitude / (2 * np.pi) + 0.5) * width - 0.5 + 1
        down = (0.5 - latitude / np.pi) * height - 0.5
        parts.append(
            cv2.remap(
                around,
                across.astype(np.float32),
                down.astype(np.float32),
                method,
                borderMode=cv2.BORDER_REPLICATE,
            )
        )
    return np.concatenate(parts)


def panorama_rigs(entries: Iterable[PhotoEntry]) -> list[RigEntry]:
    """The rigs of the views among the entries: one for each size of panoramas."""
    cameras: dict[int, dict[str, int]] = {}
    for entry in entries:
        if entry.side and entry.camera is not None:
            cameras.setdefault(entry.width, {})[entry.side] = entry.camera
    first = next(iter(SIDES.values()))
    return [
        RigEntry(
            sensors=[
                RigSensor(
                    camera=own[side], cam_from_rig=np.column_stack([turn @ first.T, np.zeros(3)]).tolist()
                )
                for side, turn in SIDES.items()
            ]
        )
        for own in cameras.values()
    ]
