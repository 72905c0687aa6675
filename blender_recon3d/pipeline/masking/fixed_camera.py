"""Photos of a subject that turns before a background that stands still: runs of them, the background, and masks.

The camera does not move within a run, so everything along the edges of the pictures stays where it is, and the value
that recurs at a pixel is the background's, except where the subject always is.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ..photos.same_view import Sketch
from .mask_pixels import is_sensible, subject

MIN_RUN = 6  # photos; in fewer nothing recurs
FRAME = 0.14  # of the longest side: the zone along the edges that shows background
CONTOURS = 28.0  # local deviation of a sketch, which is 48 on average; noise alone stays below 24
ALIKE = 0.8  # correlation of windows at the same place
WINDOW = 11  # pixels of a sketch
MIN_CONTOURS = 0.02  # share of the zone with contours: fewer are not conclusive
STILL = 0.7  # of the zone's contours that must stand still; the turntable's rim may turn
RECURS = 14  # gray levels within which a value recurs
MAX_SAMPLES = 41  # photos from which the background is found
NOISE = 4.0  # times a photo's median deviation from the background, within
MIN_OFF, MAX_OFF = 9.0, 26.0  # gray levels by which a pixel must differ from the background
FITS = 0.6  # of the zone that must look like the background, or the photo is not of this run


def runs(sketches: Sequence[Sketch]) -> list[list[int]]:
    """The indices of photos, in the order taken, that share a still background; runs of MIN_RUN or more."""
    all_runs: list[list[int]] = []
    for number, sketch in enumerate(sketches):
        if (
            all_runs
            and stands_still(sketches[all_runs[-1][0]], sketch)
            and stands_still(sketches[number - 1], sketch)
        ):
            all_runs[-1].append(number)
        else:
            all_runs.append([number])
    return [run for run in all_runs if len(run) >= MIN_RUN]


def stands_still(first: Sketch, second: Sketch) -> bool:
    """Whether what has contours along the edges of two pictures is at the same place in both."""
    a, b = first.small.astype(np.float32), second.small.astype(np.float32)
    if a.shape != b.shape:
        return False

    def mean(values: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.blur(values, (WINDOW, WINDOW)))

    a_mean, b_mean = mean(a), mean(b)
    a_spread, b_spread = (
        np.sqrt(np.maximum(mean(values * values) - middle * middle, 0))
        for values, middle in ((a, a_mean), (b, b_mean))
    )
    zone = frame_zone(a.shape) & ~(first.blind & second.blind)
    contours = zone & (np.maximum(a_spread, b_spread) > CONTOURS)
    if contours.sum() < MIN_CONTOURS * zone.sum() or contours.sum() < 40:
        return False
    together = (mean(a * b) - a_mean * b_mean) / np.maximum(a_spread * b_spread, 1)
    return bool((together[contours] > ALIKE).mean() >= STILL)


def frame_zone(shape: Sequence[int]) -> np.ndarray:
    """The zone along the edges of a picture, bool [H, W]."""
    zone = np.zeros(shape[:2], bool)
    band = max(2, round(FRAME * max(shape[:2])))
    zone[:band], zone[-band:], zone[:, :band], zone[:, -band:] = True, True, True, True
    return zone


def background_of(pictures: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The background of photos, uint8 [H, W, 3] each, of one size: at each pixel the value that recurs; and where none
    does, bool [H, W], since the subject is always there.

    Not the median, which is the subject's where it covers more than half of the photos: the middle of the shortest
    interval that contains a third of them (the half-sample mode of Bickel and Fruehwirth 2006 takes halves).
    """
    chosen = list(pictures[:: -(-len(pictures) // MAX_SAMPLES)])
    count = max(3, round(len(chosen) / 3))
    values = np.sort(np.stack(chosen), axis=0)
    widths = values[count - 1 :] - values[: len(values) - count + 1]
    start = widths.sum(axis=3, dtype=np.int16).argmin(
        axis=0
    )  # one for all channels, or colors would be mixed

    def at(places: np.ndarray, of: np.ndarray) -> np.ndarray:
        return np.asarray(
            np.take_along_axis(of, np.broadcast_to(places[None, ..., None], (1, *of.shape[1:])), axis=0)[0]
        )

    return at(start + count // 2, values), at(start, widths).max(axis=2) > RECURS


def subject_before(
    picture: np.ndarray, background: np.ndarray, unknown: np.ndarray | None = None
) -> np.ndarray | None:
    """The subject, bool [H, W], in a picture, uint8 BGR [H, W, 3], before this background.

    unknown: where the background is not known, bool [H, W]. Without it, the background is a photo without the subject,
    and may be enclosed by the subject. None if the picture does not show this background, or the result is not
    sensible.
    """
    zone = frame_zone(picture.shape)
    values = _like_exposed(picture.astype(np.float32), background.astype(np.float32), zone)
    # A pixel may lie anywhere between its neighbors in the background: cameras shake.
    window = np.ones((3, 3), np.uint8)
    low, high = (
        cv2.erode(background, window).astype(np.float32),
        cv2.dilate(background, window).astype(np.float32),
    )
    off = np.maximum(np.maximum(low - values, values - high), 0).max(axis=2)
    limit = float(np.clip(NOISE * 1.48 * np.median(off[zone]) + MIN_OFF, MIN_OFF, MAX_OFF))
    if float((off[zone] <= limit).mean()) < FITS:
        return None
    front = off > limit if unknown is None else (off > limit) | unknown
    mask = subject(front, close=4, holes=unknown is None)
    return mask if is_sensible(mask) else None


def _like_exposed(values: np.ndarray, background: np.ndarray, zone: np.ndarray) -> np.ndarray:
    """A picture in the exposure and white balance of the background."""
    used = zone & (background.min(axis=2) > 16) & (background.max(axis=2) < 240)
    if used.sum() < 100:
        return values
    return values * np.median(background[used] / np.maximum(values[used], 1), axis=0)
