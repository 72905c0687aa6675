"""How large the photos of a project were, if its file does not say: Bundler and NVM count pixels from the middle.

At the right scale the project's observations lie on SIFT keypoints of our photos, at any other scale by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ..documents.photos_json import PhotoEntry
from ..photos.image_files import read_gray
from .camera_alignment import Alignment
from .photo_names import PhotoNames

SAME = (0.8, 1.0)  # of half a photo: observations that reach as far are of photos of our size
LOOKED_AT = 4  # photos
LONGEST = 1600  # pixels that are looked at
NEAR = 1.5  # pixels
BEYOND = 1.3  # times how far observations reach: a larger photo would have an empty margin
COARSE, FINE = 0.002, 0.0002  # steps of the scale
MIN_LEAD = 1.5  # times the share of observations on keypoints at other scales


def size_ratio(alignment: Alignment, photos: Sequence[PhotoEntry], images: Path) -> float:
    """The project's size by ours; 1 if it is the same, or if no scale stands out.

    alignment: read as if the photos had our size. images: the folder of the photos.
    """
    half = np.array([[photo.lens.width / 2, photo.lens.height / 2] for photo in alignment.photos])
    if not len(alignment.photo):
        return 1.0
    offsets = alignment.pixel - half[alignment.photo]  # from the middle
    reach = float(np.percentile(np.abs(offsets / half[alignment.photo]).max(axis=1), 99.5))
    if SAME[0] <= reach <= SAME[1]:
        return 1.0
    names = PhotoNames(photos)
    counts = np.bincount(alignment.photo, minlength=len(alignment.photos))
    looks: list[tuple[np.ndarray, np.ndarray]] = []
    for number in np.argsort(-counts):
        entry = names.find(alignment.photos[number].name)
        if entry is None or entry.orientation not in (0, 1) or len(looks) == LOOKED_AT:
            continue
        gray = read_gray(images / entry.name)
        shrunk = min(1.0, LONGEST / max(gray.shape))
        small = cv2.resize(gray, None, fx=shrunk, fy=shrunk, interpolation=cv2.INTER_AREA)
        looks.append((_distances(small), offsets[alignment.photo == number] * shrunk))
    if not looks:
        return 1.0
    scales = reach * np.arange(1.0, BEYOND, COARSE)
    shares = np.array([np.mean(_near(looks, scale) <= NEAR) for scale in scales])
    if shares.max() < MIN_LEAD * np.median(shares):
        return 1.0
    around = scales[shares.argmax()] * (1 + np.arange(-2 * COARSE, 2 * COARSE, FINE))
    misses = [np.minimum(_near(looks, scale), 2 * NEAR).mean() for scale in around]
    return float(around[int(np.argmin(misses))])


def _distances(gray: np.ndarray) -> np.ndarray:
    """float32 [H, W]: pixels to the nearest SIFT keypoint."""
    free = np.full(gray.shape, 255, np.uint8)
    for keypoint in cv2.SIFT.create().detect(gray, None):
        x, y = (int(value) for value in keypoint.pt)
        free[min(y, gray.shape[0] - 1), min(x, gray.shape[1] - 1)] = 0
    return np.asarray(cv2.distanceTransform(free, cv2.DIST_L2, 5))


def _near(looks: list[tuple[np.ndarray, np.ndarray]], scale: float) -> np.ndarray:
    """Pixels from each observation in its photo to the nearest keypoint."""
    near = []
    for distances, offsets in looks:
        height, width = distances.shape
        x, y = (offsets / scale + [width / 2, height / 2]).astype(int).T
        inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
        near.append(np.where(inside, distances[y.clip(0, height - 1), x.clip(0, width - 1)], 2 * NEAR))
    return np.concatenate(near)
