"""Hard pairs made from one photo: a known homography, and different light. Uses NumPy and OpenCV only, and deliberately
not the code that makes pairs for training, whose faults would otherwise go unnoticed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from .planar import in_colmap_pixels

AREA = 640 * 480  # pixels of each view
ROTATION = 45.0  # degrees, in either direction
SCALE = (0.6, 1.6)
STRETCH = 1.25  # maximum, of one direction relative to the other
PERSPECTIVE = 0.3  # change of scale from the center to an edge
SHIFT = 0.15  # of the size
MIN_OVERLAP = 0.35  # share of the first view that the second shows
TRIES = 100


@dataclass(frozen=True)
class WarpedPair:
    """Two gray views, uint8 [H, W] each of one size, and the homography between them in COLMAP's pixels."""

    first: np.ndarray
    second: np.ndarray
    homography: np.ndarray


def warped_pair(photo: np.ndarray, background: np.ndarray, generator: np.random.Generator) -> WarpedPair:
    """A pair from an RGB photo, uint8 [H, W, 3].

    background: another RGB photo, visible in the second view outside the first. The first view is the photo reduced to
    AREA pixels, in its own aspect ratio.
    """
    gray = _resized(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY))
    height, width = gray.shape
    behind = cv2.resize(
        cv2.cvtColor(background, cv2.COLOR_RGB2GRAY), (width, height), interpolation=cv2.INTER_AREA
    )
    homography = random_homography((width, height), generator)
    second = _warp(gray, homography, behind)
    return WarpedPair(
        change_light(gray, 0.4, generator),
        change_light(second, 1.0, generator),
        in_colmap_pixels(homography),
    )


def random_homography(size: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    """A homography [3, 3] between integer pixel centers of two views of `size` (width, height).

    Randomly rotated, scaled, stretched, tilted and shifted around the center; drawn again until at least MIN_OVERLAP of
    the first view is in the second.
    """
    width, height = size
    half = max(width, height) / 2
    to_middle = np.array(
        [[1 / half, 0, -(width - 1) / 2 / half], [0, 1 / half, -(height - 1) / 2 / half], [0, 0, 1]]
    )
    for _ in range(TRIES):
        angle = np.radians(generator.uniform(-ROTATION, ROTATION))
        turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        scale = np.exp(generator.uniform(*np.log(SCALE)))
        stretch = np.exp(generator.uniform(-1, 1) * np.log(STRETCH) / 2)
        shape = np.diag([scale * stretch, scale / stretch, 1.0])
        tilt = np.eye(3)
        tilt[2, :2] = generator.uniform(-PERSPECTIVE, PERSPECTIVE, 2)
        shift = np.eye(3)
        shift[:2, 2] = 2 * generator.uniform(-SHIFT, SHIFT, 2) * np.array(size) / max(size)
        homography = np.linalg.inv(to_middle) @ shift @ tilt @ shape @ turn @ to_middle
        homography /= homography[2, 2]
        if overlap(homography, size) >= MIN_OVERLAP:
            return homography
    raise ValueError(f"no homography of {TRIES} leaves an overlap of {MIN_OVERLAP}")


def overlap(homography: np.ndarray, size: tuple[int, int]) -> float:
    """Share of the first view's area that is in the second, measured on a grid."""
    width, height = size
    x, y = np.meshgrid(np.linspace(0, width - 1, 24), np.linspace(0, height - 1, 24))
    moved = np.stack([x, y, np.ones_like(x)], axis=-1) @ homography.T
    with np.errstate(divide="ignore", invalid="ignore"):
        seen = moved[..., :2] / moved[..., 2:]
    inner = (seen >= 0).all(axis=-1) & (seen[..., 0] <= width - 1) & (seen[..., 1] <= height - 1)
    return float((inner & (moved[..., 2] > 0)).mean())


def _resized(gray: np.ndarray) -> np.ndarray:
    height, width = gray.shape
    factor = np.sqrt(AREA / (height * width))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(gray, (round(width * factor), round(height * factor)), interpolation=way)


def _warp(gray: np.ndarray, homography: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """Sampled at twice the resolution and averaged, so that a smaller view has no moire."""
    height, width = gray.shape
    double = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])  # pixel i becomes pixels 2i and 2i + 1
    size = (2 * width, 2 * height)
    fine = cv2.warpPerspective(gray, double @ homography, size, flags=cv2.INTER_CUBIC)
    seen = cv2.warpPerspective(np.full_like(gray, 255), double @ homography, size, flags=cv2.INTER_LINEAR)
    weight = cv2.resize(seen, (width, height), interpolation=cv2.INTER_AREA) / 255
    view = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    return np.clip(view + (1 - weight) * behind, 0, 255).astype(np.uint8)


def change_light(gray: np.ndarray, strength: float, generator: np.random.Generator) -> np.ndarray:
    """The view as taken by another camera in other light, uint8 [H, W]. strength: 0 (hardly changed) to 1 (strongly).

    Uneven light, a shadow's edge, contrast, gamma, blur, noise and JPEG, each drawn randomly.
    """
    height, width = gray.shape
    light: Any = generator.normal(0, 0.45 * strength, (4, 4)).astype(np.float32)
    light = cv2.resize(light, (width, height), interpolation=cv2.INTER_CUBIC)
    image: Any = (gray.astype(np.float32) / 255) * np.exp(light)
    if generator.random() < 0.5 * strength:
        image *= _shadow((width, height), generator)
    level = float(image.mean())
    image = level + (image - level) * np.exp(generator.uniform(-0.9, 0.3) * strength)
    image += generator.uniform(-0.15, 0.15) * strength
    image = np.clip(image, 0, 1) ** np.exp(generator.uniform(-0.7, 0.7) * strength)
    if generator.random() < 0.5 * strength:
        image = _blurred(image, generator)
    image = image + generator.normal(0, 0.03 * strength * generator.random(), image.shape)
    quality = int(generator.uniform(95 - 55 * strength, 95))
    pixels = np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8)
    _, coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))


def _shadow(size: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    """Light [H, W] that falls below 0.8 across a straight, more or less soft edge."""
    width, height = size
    angle = generator.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    side = (x / width - 0.5) * np.cos(angle) + (y / height - 0.5) * np.sin(angle)
    edge = generator.uniform(-0.25, 0.25)
    soft = np.exp(generator.uniform(np.log(0.004), np.log(0.1)))
    dark = generator.uniform(0.3, 0.8)
    return np.asarray(dark + (1 - dark) / (1 + np.exp(-(side - edge) / soft)), np.float32)


def _blurred(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Out of focus, or with motion blur."""
    if generator.random() < 0.5:
        return cv2.GaussianBlur(image, (0, 0), generator.uniform(0.5, 1.8))
    length = int(generator.integers(3, 8))
    kernel: Any = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1
    turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), generator.uniform(0, 180), 1)
    kernel = cv2.warpAffine(kernel, turn, (length, length))
    return cv2.filter2D(image, -1, kernel / kernel.sum())
