"""Many textures in one flat array, each with all mipmap levels, so that one lookup serves a whole picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

LEVELS = 7  # full size and six halvings


def pyramid(image: np.ndarray) -> list[np.ndarray]:
    """An image, uint8 [H, W, 3], and its halvings down to one pixel, LEVELS at most."""
    levels = [np.ascontiguousarray(image)]
    while len(levels) < LEVELS and min(levels[-1].shape[:2]) > 1:
        height, width = levels[-1].shape[:2]
        levels.append(cv2.resize(levels[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA))
    return levels


class Atlas:
    """Textures by index. `sizes`: (width, height) of each at full size, int [T, 2]."""

    def __init__(self, pyramids: Sequence[Sequence[np.ndarray]]) -> None:
        self._start = np.zeros((len(pyramids), LEVELS), np.int64)
        self._size = np.ones((len(pyramids), LEVELS, 2), np.int64)
        parts, total = [], 0
        for number, levels in enumerate(pyramids):
            for level in range(LEVELS):
                image = levels[min(level, len(levels) - 1)]
                if level < len(levels):
                    parts.append(image.reshape(-1, 3))
                    total += len(parts[-1])
                self._start[number, level] = total - image.shape[0] * image.shape[1]
                self._size[number, level] = image.shape[1], image.shape[0]
        self._texels = np.concatenate(parts)
        self.sizes = self._size[:, 0]

    def sample(self, texture: np.ndarray, uv: np.ndarray, level: np.ndarray) -> np.ndarray:
        """Colors float32 [N, 3], 0 to 255, bilinear within one level.

        texture: int [N]; uv: [N, 2] in [0, 1], v upwards, clamped; level: [N], texels per pixel as a power of two,
        rounded to a whole level.
        """
        level = np.clip(np.rint(level), 0, LEVELS - 1).astype(np.int64)
        start, size = self._start[texture, level], self._size[texture, level]
        width, height = size[:, 0], size[:, 1]
        x = np.clip(uv[:, 0] * width - 0.5, 0, width - 1).astype(np.float32)
        y = np.clip((1 - uv[:, 1]) * height - 0.5, 0, height - 1).astype(np.float32)
        left, top = x.astype(np.int64), y.astype(np.int64)
        fx, fy = (x - left)[:, None], (y - top)[:, None]
        right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)

        def texel(column: np.ndarray, row: np.ndarray) -> np.ndarray:
            return self._texels[start + row * width + column].astype(np.float32)

        upper = texel(left, top) * (1 - fx) + texel(right, top) * fx
        lower = texel(left, bottom) * (1 - fx) + texel(right, bottom) * fx
        return upper * (1 - fy) + lower * fy
