"""Small copies of photos, and the last step of every mask: whole areas without specks, at the photo's size."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..files.atomic_files import atomic_file
from ..files.pictures import read_picture

SPECK = 0.003  # of the picture, and
PART = 0.05  # of the largest area: smaller areas are not a subject
_REDUCED = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
)  # decoded at a fraction of the size, which is several times faster
MIN_KEPT, MAX_KEPT = 0.005, 0.97  # of the picture, by a mask


def small_picture(path: Path, size: int, full: tuple[int, int]) -> np.ndarray:
    """A workspace's photo with a longest side of at most `size`, uint8 BGR [H, W, 3]. full: its width and height."""
    reduced = next((flags for factor, flags in _REDUCED if max(full) >= factor * size), cv2.IMREAD_COLOR)
    pixels = read_picture(path, reduced)
    scale = size / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    wanted = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return cv2.resize(pixels, wanted, interpolation=cv2.INTER_AREA)


def subject(front: np.ndarray, close: int, holes: bool) -> np.ndarray:
    """The subject, bool [H, W], from pixels that are unlike the background.

    close: pixels by which gaps are bridged. holes: whether background may be enclosed by the subject, as in a handle;
    otherwise such pixels are parts of the subject that only look like the background.
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * close + 1,) * 2)
    values = cv2.medianBlur(front.astype(np.uint8), 5)
    values = cv2.morphologyEx(
        cv2.copyMakeBorder(values, *(close,) * 4, cv2.BORDER_REPLICATE), cv2.MORPH_CLOSE, kernel
    )
    values = values[close:-close, close:-close]
    if not holes:
        values = (~reached_from_frame(values == 0)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(values, connectivity=4)
    areas = stats[:, cv2.CC_STAT_AREA].astype(float)
    areas[0] = 0
    if count < 2:
        return np.zeros(front.shape, bool)
    large = areas >= max(SPECK * front.size, PART * areas.max())
    return np.asarray(large[labels])


def reached_from_frame(open_pixels: np.ndarray) -> np.ndarray:
    """Those of the open pixels, bool [H, W], that are connected with the picture's edge."""
    _, labels = cv2.connectedComponents(open_pixels.astype(np.uint8), connectivity=4)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return np.isin(labels, np.unique(edge[edge > 0])) & open_pixels


def is_sensible(mask: np.ndarray) -> bool:
    """Whether a mask, bool [H, W], hides something, but not nearly everything."""
    return MIN_KEPT <= float(mask.mean()) <= MAX_KEPT


def enlarged(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A mask, bool [h, w], at the photo's width and height, with smooth outlines."""
    soft = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(soft >= 0.5)


def write_mask(path: Path, mask: np.ndarray) -> None:
    """As COLMAP expects it: PNG of 255 where the photo is used, and 0 elsewhere. mask: bool [H, W]."""
    with atomic_file(path) as part:
        part.write_bytes(cv2.imencode(".png", np.where(mask, 255, 0).astype(np.uint8))[1].tobytes())
