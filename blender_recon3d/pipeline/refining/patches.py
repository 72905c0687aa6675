"""Windows out of photos: many at once, each through its own affine map."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import cv2
import numpy as np

SIDE = 15  # samples along a window
SIGMA = 3.75  # of the Gaussian that weighs it, samples
SMOOTHING = 0.8  # of the photos, pixels: noise and bilinear interpolation matter less
ROWS = 16_000  # windows sampled at once; OpenCV takes pictures of at most 32,767 a side


def window(side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """Offsets [S, 2] (x, y) of a window's samples from its middle, row by row, and weights [S] that sum to 1."""
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
    found = np.empty(places.shape[:2], np.float32)
    for start in range(0, len(places), ROWS):
        part = places[start : start + ROWS]
        found[start : start + ROWS] = cv2.remap(
            photo, part, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=float("nan")
        )  # type: ignore[call-overload]  # OpenCV's own types know nothing of one map with two channels
    return found


def pyramid(photo: np.ndarray, levels: int) -> list[np.ndarray]:
    """Gray uint8 [H, W] as float32, smoothed, and again at half the size, a quarter, ...

    Pixel p of the photo lies at p / 2 in the next level, also in COLMAP's sense: sizes are cut to even ones.
    """
    made = [cv2.GaussianBlur(photo.astype(np.float32), (0, 0), SMOOTHING)]
    while len(made) < levels and min(made[-1].shape) >= 4 * SIDE:
        height, width = (length // 2 * 2 for length in made[-1].shape)
        made.append(cv2.resize(made[-1][:height, :width], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    return made


class PhotoCache:
    """Photos by their number, as pyramids; the last ones kept, as far as `max_bytes` bytes go, and one always.

    read(number): the photo, gray uint8 [H, W]; longest: pixels of its longest side, to which it is reduced.
    """

    def __init__(self, read: Callable[[int], np.ndarray], levels: int, longest: int, max_bytes: int) -> None:
        self._read = read
        self._levels = levels
        self._longest = longest
        self._max_bytes = max_bytes
        self._kept: OrderedDict[int, list[np.ndarray]] = OrderedDict()

    def scale(self, sizes: np.ndarray) -> np.ndarray:
        """Pixels here a pixel of the photo [V], of photos of these sizes [V, 2] (width, height)."""
        return np.minimum(1.0, self._longest / sizes.max(axis=1))

    def __getitem__(self, number: int) -> list[np.ndarray]:
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        photo = self._read(number)
        height, width = photo.shape
        if max(height, width) > self._longest:
            # By the exact scale: the last row and column may be cut, and places stay where they are.
            scale = self._longest / max(height, width)
            size = (max(1, int(width * scale)), max(1, int(height * scale)))
            photo = _reduced(photo, scale, size)
        levels = pyramid(photo, self._levels)
        while self._kept and sum(map(_size, self._kept.values())) + _size(levels) > self._max_bytes:
            self._kept.popitem(last=False)
        self._kept[number] = levels
        return levels


def _reduced(photo: np.ndarray, scale: float, size: tuple[int, int]) -> np.ndarray:
    """Smoothed against aliasing, then sampled where COLMAP's pixel p lies at p * scale."""
    soft = cv2.GaussianBlur(photo, (0, 0), 0.5 / scale) if scale < 0.9 else photo
    place = np.array([[1 / scale, 0, 0.5 / scale - 0.5], [0, 1 / scale, 0.5 / scale - 0.5]])
    return cv2.warpAffine(soft, place, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def _size(levels: list[np.ndarray]) -> int:
    return sum(level.nbytes for level in levels)
