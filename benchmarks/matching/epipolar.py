"""Measures for two photos of a solid scene: relative pose, its error, the area under its curve.

Relative poses are `second_from_first`: x_second = R x_first + t in the camera frames. Intrinsics K [3, 3] and points
[N, 2] are in COLMAP's pixels of the photos as matched.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from blender_recon3d.pipeline.evaluation.alignment import angles

MIN_MATCHES = 5  # for an essential matrix


def area_under_curve(errors: Sequence[float], thresholds: Sequence[float]) -> list[float]:
    """Area under the cumulative curve of errors up to each threshold, as a share of the perfect one.

    errors: degrees, infinite if nothing was found. Piecewise linear from (0, 0) through the sorted errors, as in Sarlin
    et al. 2020 (section 5.2) and later work.
    """
    ordered = np.sort(np.asarray(errors, np.float64))
    share = np.arange(1, len(ordered) + 1) / max(len(ordered), 1)
    areas = []
    for threshold in thresholds:
        count = int(np.searchsorted(ordered, threshold))
        last = share[count - 1] if count else 0.0
        x = np.concatenate([[0.0], ordered[:count], [threshold]])
        y = np.concatenate([[0.0], share[:count], [last]])
        areas.append(float(np.trapezoid(y, x) / threshold))
    return areas


def relative_pose(
    first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """second_from_first (R [3, 3], t [3]) of two cameras, each (rotation world to camera, center)."""
    rotation = second[0] @ first[0].T
    return rotation, second[0] @ (first[1] - second[1])


def pose_error(
    estimate: tuple[np.ndarray, np.ndarray], truth: tuple[np.ndarray, np.ndarray]
) -> tuple[float, float]:
    """Degrees between the rotations, and between the directions of translation.

    The sign of the translation is ignored, as is usual: the essential matrix does not determine it; the points in front
    of the cameras do, and where they are few they say little.
    """
    rotation = float(angles(estimate[0][None], truth[0][None])[0])
    a, b = (pose[1] / np.linalg.norm(pose[1]) for pose in (estimate, truth))
    between = float(np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)))
    return rotation, min(between, 180 - between)


def estimate_pose(
    points: tuple[np.ndarray, np.ndarray], intrinsics: tuple[np.ndarray, np.ndarray], threshold: float = 1.0
) -> tuple[tuple[np.ndarray, np.ndarray] | None, int]:
    """second_from_first of matched points, and how many matches agree with it; None and 0 if there is none.

    threshold: pixels. An essential matrix by OpenCV's USAC_ACCURATE (with its fixed seed) on normalized points, of
    whose four poses the one with the most points in front of both cameras is chosen. Of OpenCV's methods it depends
    least on the threshold, and is closest to the truth: this measures the matches.
    """
    if len(points[0]) < MIN_MATCHES:
        return None, 0
    rays = [normalized(xy, k) for xy, k in zip(points, intrinsics, strict=True)]
    focal = float(np.mean([k[[0, 1], [0, 1]].mean() for k in intrinsics]))
    essential, mask = cv2.findEssentialMat(
        rays[0], rays[1], np.eye(3), method=cv2.USAC_ACCURATE, prob=0.99999, threshold=threshold / focal
    )
    if essential is None or mask is None:
        return None, 0
    best: tuple[np.ndarray, np.ndarray] | None = None
    most_in_front = 0
    for candidate in np.split(essential, len(essential) // 3):  # several if they explain the same points
        count, rotation, translation, _ = cv2.recoverPose(
            candidate, rays[0], rays[1], np.eye(3), distanceThresh=1e9, mask=mask.copy()
        )[:4]
        if count > most_in_front:
            best, most_in_front = (rotation, translation[:, 0]), int(count)
    return best, int(mask.sum()) if best is not None else 0


def epipolar_distances(
    points: tuple[np.ndarray, np.ndarray],
    intrinsics: tuple[np.ndarray, np.ndarray],
    pose: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Distances in pixels [N] of matched points from the epipolar lines of `pose`: Sampson's first-order distance to
    exactly fitting points (Hartley and Zisserman, equation 11.9), as a root."""
    rotation, (x, y, z) = pose
    essential = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ rotation
    fundamental = np.linalg.inv(intrinsics[1]).T @ essential @ np.linalg.inv(intrinsics[0])
    first, second = (np.column_stack([xy, np.ones(len(xy))]).astype(np.float64) for xy in points)
    lines, back = first @ fundamental.T, second @ fundamental
    size = np.sqrt((lines[:, :2] ** 2).sum(axis=1) + (back[:, :2] ** 2).sum(axis=1))
    return np.abs((second * lines).sum(axis=1)) / np.maximum(size, 1e-12)


def normalized(points: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
    """Points as directions (x / z, y / z), float64 [N, 2]."""
    rays = np.column_stack([points, np.ones(len(points))]).astype(np.float64) @ np.linalg.inv(intrinsics).T
    return rays[:, :2]
