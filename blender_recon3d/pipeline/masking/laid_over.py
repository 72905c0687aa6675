"""What is laid over all photos alike: bars, stamps, logos, controls of a player, the tip of a drone.

Such pixels keep their value while the rest changes. Of a half-transparent one the contours stay, whatever is below:
the median over the photos of the gradient is zero elsewhere (Dekel et al. 2017, section 3.1).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .mask_pixels import reached_from_frame

MIN_PHOTOS = 8
SAME = 4.0  # gray levels between the 10th and the 90th percentile of a pixel that keeps its value
CHANGES = 20.0  # and of the picture's typical pixel; if less, the photos are too alike to tell
CONTOUR = 5.0  # gray levels for each pixel; the median gradient of something laid over
CERTAIN = 5.0  # times the standard error of the median
SMALL_SAMPLE = 8.0  # photos; the error is itself uncertain if there are not many more
AGREE = 0.75  # of the photos with a gradient of that sign
DARK = 24  # gray; bars are darker
JOIN = 7  # pixels of a picture of 384 within which letters are joined
MAX_SHARE = 0.45  # of the picture; more is a background that stands still
MIN_PIXELS = 40  # pixels
BOTH = 0.2  # of a stamp's contours rise, and of them fall: strokes have two sides, a horizon or a car's edge has one


def laid_over(pictures: Sequence[np.ndarray]) -> np.ndarray | None:
    """Where something is laid over photos, uint8 BGR [H, W, 3] of one size: bool [H, W]; None if nothing is."""
    if len(pictures) < MIN_PHOTOS:
        return None
    stack = np.stack([cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) for picture in pictures]).astype(np.float32)
    low, high = np.percentile(stack, (10, 90), axis=0)
    same = high - low <= SAME
    if float(np.median((high - low)[~same]) if (~same).any() else 0.0) < CHANGES:
        return None
    rising, falling = _lasting_contours(stack)
    lasting = rising | falling
    median = np.median(stack, axis=0)
    bars = reached_from_frame(
        cv2.erode((same & (median < DARK)).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    )
    bars = cv2.dilate(bars.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    contours = cv2.morphologyEx(
        (lasting & ~bars).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((JOIN, JOIN), np.uint8)
    )
    count, labels, stats, _ = cv2.connectedComponentsWithStats(contours, connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= MIN_PIXELS
    large[0] = False
    ups, downs = (np.bincount(labels[side & ~bars], minlength=count) for side in (rising, falling))
    large &= np.minimum(ups, downs) >= BOTH * (ups + downs)
    stamps = cv2.dilate(large[labels].astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if bars.sum() < MIN_PIXELS:
        bars[:] = False
    overlay = bars | stamps
    return overlay if overlay.any() and overlay.mean() <= MAX_SHARE else None


def _lasting_contours(stack: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels, bool [H, W], at which most of the photos, float32 [N, H, W], rise to the right or downwards; and at which
    they fall."""
    sides = np.zeros((2, *stack.shape[1:]), bool)
    certain = CERTAIN * (1 + SMALL_SAMPLE / len(stack))
    for axis in (0, 1):
        gradient = np.stack([cv2.Sobel(photo, cv2.CV_32F, 1 - axis, axis, scale=1 / 8) for photo in stack])
        middle = np.median(gradient, axis=0)
        error = 1.25 * 1.48 * np.median(np.abs(gradient - middle), axis=0) / np.sqrt(len(stack))
        agree = (np.sign(gradient) == np.sign(middle)).mean(axis=0) >= AGREE
        lasting = (np.abs(middle) > CONTOUR) & (np.abs(middle) > certain * error) & agree
        sides[0] |= lasting & (middle > 0)
        sides[1] |= lasting & (middle < 0)
    return sides[0], sides[1]
