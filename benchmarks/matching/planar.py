"""Measures for two photos related by a homography: repeatability, matching accuracy, precision and recall.

Points are float [N, 2], x and y in COLMAP's pixels (first pixel center (0.5, 0.5)), so that a photo of width w and
height h is the rectangle from (0, 0) to (w, h). Homographies [3, 3] map the first photo to the second.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from scipy.spatial import cKDTree

Size = tuple[int, int]  # width, height


def warp(points: np.ndarray, homography: np.ndarray) -> np.ndarray:
    """The points seen through the homography, float64 [N, 2]; NaN for those at or beyond its horizon."""
    moved = np.column_stack([points, np.ones(len(points))]).astype(np.float64) @ homography.T
    moved[moved[:, 2] <= 1e-12] = np.nan
    return moved[:, :2] / moved[:, 2:]


def inside(points: np.ndarray, size: Size) -> np.ndarray:
    """Which points are inside a photo of that size, bool [N]; NaN is not."""
    return np.asarray(((points >= 0) & (points <= np.array(size))).all(axis=1))


def repeatability(
    points: tuple[np.ndarray, np.ndarray],
    homography: np.ndarray,
    sizes: tuple[Size, Size],
    max_points: int,
    radius: float = 3.0,
) -> float:
    """Share of keypoints that are also found in the other photo, within `radius` pixels; in both directions together.

    points: of each photo, strongest first. Of those in the common area, the `max_points` strongest count; a position
    that was found several times (SIFT gives one keypoint per orientation) counts once. The distance is measured in the
    photo to which the point is projected. DeTone et al. 2018, equation 13. 0 without keypoints.

    """
    back = np.linalg.inv(homography)
    first = _strongest_shared(points[0], homography, sizes[1], max_points)
    second = _strongest_shared(points[1], back, sizes[0], max_points)
    if not len(first) or not len(second):
        return 0.0
    there, _ = cKDTree(second).query(warp(first, homography))
    here, _ = cKDTree(first).query(warp(second, back))
    return float(((there <= radius).sum() + (here <= radius).sum()) / (len(first) + len(second)))


def _strongest_shared(points: np.ndarray, homography: np.ndarray, other: Size, max_points: int) -> np.ndarray:
    _, places = np.unique(points, axis=0, return_index=True)
    points = points[np.sort(places)]
    return points[inside(warp(points, homography), other)][:max_points]


def transfer_errors(first: np.ndarray, second: np.ndarray, homography: np.ndarray) -> np.ndarray:
    """The error of each match, pixels of the second photo, [M]; infinite beyond the horizon.

    first, second: float [M, 2], the matched points of each photo.
    """
    distances = np.linalg.norm(warp(first, homography) - second, axis=1)
    return np.where(np.isnan(distances), np.inf, distances)


def matching_accuracy(errors: np.ndarray, thresholds: Sequence[float]) -> list[float]:
    """Share of matches with an error of at most each threshold (its mean over pairs is the MMA of Mikolajczyk and
    Schmid 2005, as used by HPatches); 0 without matches."""
    return [float((errors <= threshold).mean()) if len(errors) else 0.0 for threshold in thresholds]


def true_matches(
    first: np.ndarray, second: np.ndarray, homography: np.ndarray, radius: float = 3.0
) -> np.ndarray:
    """Pairs of keypoints at the same place: mutual nearest after warping, within `radius` pixels of the second photo.
    int [G, 2], indices into first and second. Sarlin et al. 2020, section 5.1."""
    warped = warp(first, homography)
    seen = np.flatnonzero(~np.isnan(warped).any(axis=1))
    if not len(seen) or not len(second):
        return np.zeros((0, 2), np.int64)
    distance, partner = cKDTree(second).query(warped[seen])
    _, back = cKDTree(warped[seen]).query(second)
    kept = (distance <= radius) & (back[partner] == np.arange(len(seen)))
    return np.stack([seen[kept], partner[kept]], axis=1)


def precision_recall(
    matches: np.ndarray, errors: np.ndarray, truth: np.ndarray, radius: float = 3.0
) -> tuple[float, float]:
    """Share of matches that are right, and share of the true matches whose first keypoint is matched correctly.

    matches: int [M, 2], with errors [M] in pixels; truth: int [G, 2] from `true_matches`. A match is right if its error
    is at most `radius`: where SIFT has several keypoints at a place, any of them is accepted. 0 without matches; recall
    is NaN if there is nothing to find.
    """
    right = errors <= radius
    precision = float(right.mean()) if len(matches) else 0.0
    if not len(truth):
        return precision, float("nan")
    return precision, float(np.isin(truth[:, 0], matches[right, 0]).mean())


def estimate_homography(first: np.ndarray, second: np.ndarray, threshold: float = 3.0) -> np.ndarray | None:
    """The homography of matched points [M, 2] by MAGSAC (OpenCV's USAC, with its fixed seed); None if there is none.
    threshold: pixels."""
    if len(first) < 4:
        return None
    found, _ = cv2.findHomography(
        first.astype(np.float64), second.astype(np.float64), cv2.USAC_MAGSAC, threshold, None, 10_000, 0.9999
    )
    return found


def corner_error(homography: np.ndarray, estimate: np.ndarray | None, size: Size) -> float:
    """Mean distance, pixels of the second photo, between the first photo's corners mapped by the two homographies
    (DeTone et al. 2018, section 7.3); infinite without an estimate."""
    if estimate is None:
        return float("inf")
    width, height = size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    distances = np.linalg.norm(warp(corners, homography) - warp(corners, estimate), axis=1)
    return float(distances.mean()) if np.isfinite(distances).all() else float("inf")


def in_colmap_pixels(
    homography: np.ndarray,
    scales: tuple[tuple[float, float], tuple[float, float]] = ((1.0, 1.0), (1.0, 1.0)),
) -> np.ndarray:
    """A homography between integer pixel centers, converted to COLMAP's pixels of resized photos.

    scales: resized / original, in x and y, of the first and of the second photo.
    """
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    (ax, ay), (bx, by) = scales
    moved = np.diag([bx, by, 1.0]) @ half @ homography @ np.linalg.inv(half) @ np.diag([1 / ax, 1 / ay, 1.0])
    return np.asarray(moved / moved[2, 2])
