"""Samples windows from photos: many at once, each through its own affine map."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import cv2
import numpy as np

SIDE = 15  # samples along a window
SIGMA = 3.75  # of the Gaussian weights, in samples
SMOOTHING = 0.8  # of the photos, pixels: reduces noise and the error of bilinear interpolation
ROWS = 16_000  # windows sampled at once; OpenCV's limit for images is 32,767 per side


def window(side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """Offsets [S, 2] (x, y) of a window's samples from its center, row by row, and weights [S] with sum 1."""
    reach = np.arange(side) - (side - 1) / 2
    x, y = np.meshgrid(reach, reach)
    offsets = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)
    weights = np.exp(-(offsets**2).sum(axis=1) / (2 * SIGMA**2))
    return offsets, (weights / weights.sum()).astype(np.float32)


def sample(photo: np.ndarray, pixel: np.ndarray, warp: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Values float32 [N, S] of a photo [H, W] at `pixel + warp @ offset`, bilinear; NaN outside the photo.

    pixel [N, 2]; warp [N, 2, 2]; offsets [S, 2].
    """
    places = offsets.astype(np.float32) @ warp.transpose(0, 2, 1).astype(np.float32)
    places += (pixel - 0.5).astype(np.float32)[:, None]
    values = np.empty(places.shape[:2], np.float32)
    for start in range(0, len(places), ROWS):
        part = places[start : start + ROWS]
        values[start : start + ROWS] = cv2.remap(
            photo, part, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=float("nan")
        )  # type: ignore[call-overload]  # OpenCV's types omit one map with two channels
    return values


def pyramid(photo: np.ndarray, levels: int) -> list[np.ndarray]:
    """A gray photo, uint8 [H, W], as smoothed float32, then at half the size, a quarter, ...

    Pixel p of the photo is at p / 2 in the next level, also in COLMAP's coordinates: sizes are cut to even ones.
    """
    result = [cv2.GaussianBlur(photo.astype(np.float32), (0, 0), SMOOTHING)]
    while len(result) < levels and min(result[-1].shape) >= 4 * SIDE:
        height, width = (length // 2 * 2 for length in result[-1].shape)
        result.append(
            cv2.resize(result[-1][:height, :width], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        )
    return result


class PhotoCache:
    """Photos by number, as pyramids; the most recent ones are kept within `max_bytes`, but always one.

    read(number): the photo, gray uint8 [H, W]; longest: longest side in pixels, to which it is reduced.
    """

    def __init__(self, read: Callable[[int], np.ndarray], levels: int, longest: int, max_bytes: int) -> None:
        self._read = read
        self._levels = levels
        self._longest = longest
        self._max_bytes = max_bytes
        self._kept: OrderedDict[int, list[np.ndarray]] = OrderedDict()

    def scale(self, sizes: np.ndarray) -> np.ndarray:
        """Pixels here per pixel of the photo [V], for photos of these sizes [V, 2] (width, height)."""
        return np.minimum(1.0, self._longest / sizes.max(axis=1))

    def __getitem__(self, number: int) -> list[np.ndarray]:
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        photo = self._read(number)
        height, width = photo.shape
        if max(height, width) > self._longest:
            # By the exact scale: the last row and column may be cut, but positions are exact.
            scale = self._longest / max(height, width)
            size = (max(1, int(width * scale)), max(1, int(height * scale)))
            photo = _reduced(photo, scale, size)
        levels = pyramid(photo, self._levels)
        while self._kept and sum(map(_size, self._kept.values())) + _size(levels) > self._max_bytes:
            self._kept.popitem(last=False)
        self._kept[number] = levels
        return levels


def _reduced(photo: np.ndarray, scale: float, size: tuple[int, int]) -> np.ndarray:
    """Smoothed against aliasing, then resampled so that COLMAP's pixel p is at p * scale."""
    soft = cv2.GaussianBlur(photo, (0, 0), 0.5 / scale) if scale < 0.9 else photo
    place = np.array([[1 / scale, 0, 0.5 / scale - 0.5], [0, 1 / scale, 0.5 / scale - 0.5]])
    return cv2.warpAffine(soft, place, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def _size(levels: list[np.ndarray]) -> int:
    return sum(level.nbytes for level in levels)
