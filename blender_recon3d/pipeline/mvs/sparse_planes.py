"""Planes from the sparse points: hypotheses for steep, grazing surfaces, on which upright windows see nothing alike.

The points that a photo shows are the corners of triangles in it (Delaunay), and a triangle in space is a plane in
inverse depth: what OpenMVS starts its depth maps from, here one hypothesis among others.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import Delaunay, QhullError, cKDTree

NEIGHBORS = 8  # in the photo, whose median depth a point is compared with
ODD = 0.25  # of inverse depth: a point that differs from that median by more is left out
MIN_POINTS = 12  # points that make planes worth trying


def sparse_planes(points: np.ndarray, height: int, width: int) -> np.ndarray | None:
    """float32 [3, height, width]: inverse depth at each pixel's center and its slants along x and y, 0 outside of
    the triangles; None where there are too few points.

    points [P, 3]: x, y in pixels (the first center at .5) and inverse depth.
    """
    points = _without_odd(points)
    if len(points) < MIN_POINTS:
        return None
    try:
        triangles = Delaunay(points[:, :2])
    except QhullError:  # all on a line
        return None
    corners = points[triangles.simplices]  # [T, 3 corners, (x, y, w)]
    edges = corners[:, 1:] - corners[:, :1]
    area = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
    area = np.where(np.abs(area) < 1e-9, np.inf, area)
    slant_x = (edges[:, 0, 2] * edges[:, 1, 1] - edges[:, 1, 2] * edges[:, 0, 1]) / area
    slant_y = (edges[:, 1, 2] * edges[:, 0, 0] - edges[:, 0, 2] * edges[:, 1, 0]) / area
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    index = triangles.find_simplex(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(height, width)
    first = corners[index, 0]
    w = first[..., 2] + slant_x[index] * (x - first[..., 0]) + slant_y[index] * (y - first[..., 1])
    planes = np.stack([w, slant_x[index], slant_y[index]])
    return np.where(index >= 0, planes, 0).astype(np.float32)


def _without_odd(points: np.ndarray) -> np.ndarray:
    """Without points in one place, and those whose depth is not at all that of the points around."""
    points = points[np.unique(np.round(points[:, :2]), axis=0, return_index=True)[1]]
    if len(points) <= NEIGHBORS:
        return points
    index = cKDTree(points[:, :2]).query(points[:, :2], NEIGHBORS + 1)[1]
    median = np.median(points[index, 2], axis=1)
    return points[np.abs(points[:, 2] - median) < ODD * median]
