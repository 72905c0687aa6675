"""Identify photos that a project does not name: its points were corners in its photos, and so are in ours.

Observations are near SIFT keypoints of the right photo, but of a wrong one only by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from ..documents.photos_json import PhotoEntry
from ..errors import UserError
from ..events import Progress
from ..photos.image_files import read_gray
from .camera_alignment import Alignment

NEAR = 1.5  # pixels
LONGEST = 1600  # longest side used, pixels
MIN_SHARE = 0.1  # of the observations that must be on keypoints
MIN_LEAD = 2.0  # times the share of the next photo


def name_photos(
    alignment: Alignment, photos: Sequence[PhotoEntry], images: Path, progress: Progress
) -> Alignment:
    """The alignment with the names of our photos; photos without a match keep their names, and count as missing.

    images: the folder of the photos. UserError if none is found.
    """
    shares = np.zeros((len(alignment.photos), len(photos)))
    for column, entry in enumerate(photos):
        progress.update(column, len(photos), "Looking for the project's points in the photos")
        gray = read_gray(images / entry.name)
        scale = min(1.0, LONGEST / max(gray.shape))
        small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        corners = _near_corner(small)
        for row in range(len(alignment.photos)):
            shares[row, column] = _share(alignment, row, corners)
    assigned = _assigned(shares)
    if not assigned:
        raise UserError(
            "The project does not name its photos, and none of the given ones match its points: put the list of its "
            "photos (NAME_imgList.txt) beside it, or use the photos that it was made from.",
            2,
        )
    named = [
        replace(photo, name=photos[assigned[row]].source) if row in assigned else photo
        for row, photo in enumerate(alignment.photos)
    ]
    return replace(alignment, photos=named, unnamed=False)


def _near_corner(gray: np.ndarray) -> np.ndarray:
    """bool [H, W]: whether a SIFT keypoint is near."""
    free = np.full(gray.shape, 255, np.uint8)
    for keypoint in cv2.SIFT.create().detect(gray, None):
        x, y = (int(value) for value in keypoint.pt)
        free[min(y, gray.shape[0] - 1), min(x, gray.shape[1] - 1)] = 0
    return np.asarray(cv2.distanceTransform(free, cv2.DIST_L2, 3) <= NEAR)


def _share(alignment: Alignment, row: int, corners: np.ndarray) -> float:
    """The share of a photo's observations on corners; 0 for a photo with another aspect ratio."""
    lens = alignment.photos[row].lens
    height, width = corners.shape
    if abs(lens.width / lens.height / (width / height) - 1) > 0.02:
        return 0.0
    pixel = alignment.pixel[alignment.photo == row] * [width / lens.width, height / lens.height]
    x, y = np.clip(pixel.astype(int), 0, [width - 1, height - 1]).T
    return float(corners[y, x].mean()) if len(pixel) else 0.0


def _assigned(shares: np.ndarray) -> dict[int, int]:
    """Column by row, if a row's best is far above its second best, and no other row has the same."""
    best = shares.argmax(axis=1)
    ordered = np.sort(shares, axis=1)
    second = ordered[:, -2] if shares.shape[1] > 1 else np.zeros(len(shares))
    sure = (ordered[:, -1] > MIN_SHARE) & (ordered[:, -1] > MIN_LEAD * second)
    taken = np.bincount(best[sure], minlength=shares.shape[1])
    return {row: int(best[row]) for row in np.flatnonzero(sure).tolist() if taken[best[row]] == 1}
