"""The ground plane of a scene. numpy only; everything is in the model's frame."""

from __future__ import annotations

import numpy as np

PLANE_TRIALS = 500
WIDEST_CONE = 20.0  # degrees between a ground plane's normal and up, if up is uncertain
NARROW = 5.0  # degrees; random planes would hardly ever fall into a narrower cone
PLANE_SHARE = 0.08  # of the points; fewer do not count as ground
PLANE_THICKNESS = 0.01  # of the scene's size


def ground_plane(
    points: np.ndarray, centers: np.ndarray, up: np.ndarray, cone: float = WIDEST_CONE, seed: int = 0
) -> tuple[np.ndarray, float] | None:
    """The dominant plane below the cameras whose normal is near `up`: (unit normal n, offset d), n.x = d.

    points [N, 3] and camera centers [M, 3] in the model's frame. cone: max degrees between n and `up`. None if there is
    no such plane.
    """
    if len(points) < 50:
        return None
    generator = np.random.default_rng(seed)
    low, high = np.percentile(points, [5, 95], axis=0)
    thickness = PLANE_THICKNESS * float(np.linalg.norm(high - low))
    sample = points if len(points) < 20000 else points[generator.choice(len(points), 20000, replace=False)]
    if cone < NARROW:
        return _level_plane(sample, centers, up, cone, thickness)
    best, best_count = None, 0
    for _ in range(PLANE_TRIALS):
        a, b, c = sample[generator.choice(len(sample), 3, replace=False)]
        normal = np.cross(b - a, c - a)
        length = np.linalg.norm(normal)
        if length < 1e-12:
            continue
        normal *= np.sign(normal @ up) / length
        if normal @ up < np.cos(np.radians(cone)):
            continue
        count = int((np.abs((sample - a) @ normal) < thickness).sum())
        above = (centers - a) @ normal > 0
        if count > best_count and above.mean() > 0.9:
            best, best_count = (normal, float(normal @ a)), count
    if best is None or best_count < PLANE_SHARE * len(sample):
        return None
    return _refine(sample, *best, thickness, up)


def _level_plane(
    points: np.ndarray, centers: np.ndarray, up: np.ndarray, cone: float, thickness: float
) -> tuple[np.ndarray, float] | None:
    """The height with the most points, and the plane through them if it stays within the cone."""
    heights = np.sort(points @ up)
    counts = np.searchsorted(heights, heights + 2 * thickness, side="right") - np.arange(len(heights))
    counts[heights > np.percentile(centers @ up, 10)] = 0
    lowest = int(np.argmax(counts))
    if counts[lowest] < PLANE_SHARE * len(points):
        return None
    offset = float(heights[lowest] + thickness)
    normal, refined = _refine(points, up, offset, thickness, up)
    return (normal, refined) if normal @ up > np.cos(np.radians(cone)) else (up, offset)


def _refine(
    points: np.ndarray, normal: np.ndarray, offset: float, thickness: float, up: np.ndarray
) -> tuple[np.ndarray, float]:
    """Least squares over the plane's own points, three times."""
    for _ in range(3):
        near = points[np.abs(points @ normal - offset) < thickness]
        center = near.mean(axis=0)
        fitted = np.linalg.svd(near - center, full_matrices=False)[2][2]
        normal = fitted * np.sign(fitted @ up)
        offset = float(normal @ center)
    return normal, offset
