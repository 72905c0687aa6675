"""The box of `scenes` alone, before backgrounds that tests put behind it, and its true masks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from tests.support.scenes import HEIGHT, WIDTH, box_scene, depth, render, ring, spot_texture

Background = Callable[[int], np.ndarray]  # BGR [H, W, 3] behind the photo with this number


def wall(number: int) -> np.ndarray:
    """A wall full of contours, the same behind every photo."""
    return cv2.resize(spot_texture(77)[:576], (WIDTH, HEIGHT))


def backdrop(*bgr: float) -> Background:
    """One color, darker in the corners by a quarter."""
    y, x = np.meshgrid(np.linspace(-1, 1, HEIGHT), np.linspace(-1, 1, WIDTH), indexing="ij")
    shade = 1 - 0.125 * (x**2 + y**2)
    return lambda number: shade[..., None] * np.array(bgr)


def subject_alone(pose: np.ndarray) -> np.ndarray:
    """Where the box is in a photo, bool [H, W]."""
    return depth(box_scene()[1:], pose) > 0


def photo_before(number: int, pose: np.ndarray, background: Background) -> np.ndarray:
    """The box before a background with a little noise, BGR uint8 [H, W, 3]."""
    drawn, alone = render(box_scene()[1:], pose), subject_alone(pose)
    noise = np.random.default_rng(number).normal(0, 2, drawn.shape)
    photo = np.where(alone[..., None], drawn, background(number)) + noise
    return np.clip(photo, 0, 255).astype(np.uint8)


def write_photos(folder: Path, photos: list[np.ndarray], extension: str = "jpg") -> Path:
    folder.mkdir(parents=True)
    for number, photo in enumerate(photos):
        content = cv2.imencode(f".{extension}", photo, [cv2.IMWRITE_JPEG_QUALITY, 93])[1].tobytes()
        (folder / f"p{number:02d}.{extension}").write_bytes(content)
    return folder


def turntable(count: int = 10) -> list[np.ndarray]:
    """Poses all around the box, which is then a third of the photo."""
    return ring(count, radius=1.9, arc=5.5)


def overlap(found: np.ndarray, true: np.ndarray) -> float:
    """Intersection over union of two masks, bool [H, W]."""
    return float((found & true).sum() / max(1, (found | true).sum()))
