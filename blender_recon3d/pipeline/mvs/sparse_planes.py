"""Planes from the sparse points: hypotheses for steep, grazing surfaces, where fronto-parallel windows match nothing.

The sparse points in a photo are triangulated (Delaunay), and a triangle in space is a plane in inverse depth: OpenMVS
initializes its depth maps this way; here it is one hypothesis among others.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import Delaunay, QhullError, cKDTree

NEIGHBORS = 8  # in the photo, with whose median depth a point is compared
ODD = 0.25  # of inverse depth: points that differ more from that median are left out
MIN_POINTS = 12  # for planes worth trying


def sparse_planes(points: np.ndarray, height: int, width: int) -> np.ndarray | None:
    """float32 [3, height, width]: inverse depth at each pixel's center and its slants along x and y, 0 outside the
    triangles; None if there are too few points.

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
    """Without coinciding points, and those whose depth is far from that of the points around."""
    points = points[np.unique(np.round(points[:, :2]), axis=0, return_index=True)[1]]
    if len(points) <= NEIGHBORS:
        return points
    index = cKDTree(points[:, :2]).query(points[:, :2], NEIGHBORS + 1)[1]
    median = np.median(points[index, 2], axis=1)
    return points[np.abs(points[:, 2] - median) < ODD * median]
