"""Masks from a backdrop of one color, which is found along the edges of every photo.

A sweep is brighter in its middle than in its corners, so the backdrop is a color that varies as a quadratic function
of the place in the picture. Distances are in CIE Lab; brightness counts less, because of shadows on the backdrop.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .mask_pixels import subject

EDGE = 0.05  # of the longest side: the width of the edge in which the backdrop is looked for
ALIKE = 9.0  # distance in Lab of pixels that are the backdrop's
SHADE, SHADE_OF_SCREEN = 0.5, 0.25  # how much brightness counts, in general and before a saturated screen
SHARE = 0.65  # of the edge that must be backdrop: the subject may stand on the rest
SCREEN = 45.0  # chroma of a green or blue screen; skies and lawns stay below
SCREEN_SHARE = 0.8  # of the edge: to recognize a screen by itself
GRAIN = 2.5  # median of the local deviation in brightness of a screen; a lawn has more


@dataclass(frozen=True, eq=False)
class Backdrop:
    """distance: of each pixel from the backdrop [H, W], in Lab. share: of the edge that is backdrop. chroma: how
    saturated its color is. grain: local deviation of its brightness."""

    distance: np.ndarray
    share: float
    chroma: float
    grain: float

    @property
    def found(self) -> bool:
        return self.share >= SHARE

    @property
    def is_screen(self) -> bool:
        """Whether it cannot be anything but a screen set up behind the subject."""
        return self.chroma >= SCREEN and self.share >= SCREEN_SHARE and self.grain <= GRAIN


def find_backdrop(picture: np.ndarray) -> Backdrop:
    """The backdrop of a small picture, uint8 BGR [H, W, 3]."""
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_BGR2Lab)
    height, width = lab.shape[:2]
    edge = np.zeros((height, width), bool)
    band = max(3, round(EDGE * max(height, width)))
    edge[:band], edge[-band:], edge[:, :band], edge[:, -band:] = True, True, True, True
    terms = _terms(height, width)
    own, places = lab[edge], terms[edge]
    middle = np.median(own, axis=0)
    chroma = float(np.hypot(*middle[1:]))
    weights = np.array([SHADE_OF_SCREEN if chroma >= SCREEN else SHADE, 1.0, 1.0], np.float32)
    near = np.linalg.norm((own - middle) * weights, axis=1) < 3 * ALIKE
    surface = np.broadcast_to(middle, lab.shape)
    for _ in range(4):
        if near.sum() < 20 * terms.shape[2]:
            break
        fitted = np.linalg.lstsq(places[near], own[near], rcond=None)[0]
        surface = terms @ fitted
        near = np.linalg.norm((own - surface[edge]) * weights, axis=1) < ALIKE
    distance = np.linalg.norm((lab - surface) * weights, axis=2)
    mean, square = (cv2.blur(part, (5, 5)) for part in (lab[..., 0], lab[..., 0] ** 2))
    grain = np.sqrt(np.maximum(square - mean**2, 0))[edge]
    return Backdrop(distance, float(near.mean()), chroma, float(np.median(grain)))


def mask_of(backdrop: Backdrop) -> np.ndarray:
    """The subject, bool [H, W]. Only before a saturated screen may background be enclosed by the subject."""
    return subject(backdrop.distance >= ALIKE, close=2, holes=backdrop.chroma >= SCREEN)


def _terms(height: int, width: int) -> np.ndarray:
    """1, x, y, xx, xy, yy at each pixel, float32 [H, W, 6], within -1 and 1."""
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=2).astype(np.float32)
