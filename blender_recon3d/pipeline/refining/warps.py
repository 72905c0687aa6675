"""The appearance of a point's surroundings in another photo: the affine map induced by a plane through the point."""

from __future__ import annotations

import numpy as np

from .observations import Views

STEP = 3.0  # pixels around the point for the differences; the patch's typical radius


def facing_normals(views: Views, xyz: np.ndarray, point: np.ndarray, view: np.ndarray) -> np.ndarray:
    """Unit normals [P, 3] that face the mean direction from which each point is seen.

    xyz [P, 3]; point, view [O]: of the observations.
    """
    towards = views.centers()[view] - xyz[point]
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    total = np.zeros_like(xyz)
    np.add.at(total, point, towards)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)


def plane_warps(
    views: Views,
    xyz: np.ndarray,
    normal: np.ndarray,
    reference: np.ndarray,
    pixel: np.ndarray,
    view: np.ndarray,
) -> np.ndarray:
    """d(pixel in `view`) / d(pixel in `reference`) of a plane at its point, [N, 2, 2].

    xyz, normal [N, 3]: the plane; reference, view [N]: photos; pixel [N, 2]: the point in the reference photo. NaN if
    the plane is seen from behind or edge-on, or the point is behind a camera.
    """
    ends = []
    for offset in ((STEP, 0.0), (-STEP, 0.0), (0.0, STEP), (0.0, -STEP)):
        rays = views.rays(reference, pixel + np.array(offset))
        world = np.einsum(
            "nji,nj->ni", views.rotation[reference], rays
        )  # in the camera frame z is 1, not the length
        center = views.centers()[reference]
        along = np.einsum("ni,ni->n", world, normal)
        with np.errstate(divide="ignore", invalid="ignore"):
            depth = np.einsum("ni,ni->n", xyz - center, normal) / along
            depth[(along > -0.05 * np.linalg.norm(world, axis=1)) | (depth <= 0)] = np.nan
            hit = center + world * depth[:, None]
        ends.append(views.project(view, views.to_camera(view, hit)))
    warp = np.stack([ends[0] - ends[1], ends[2] - ends[3]], axis=2) / (2 * STEP)
    towards = views.centers()[view] - xyz
    behind = np.einsum("ni,ni->n", towards, normal) <= 0.05 * np.linalg.norm(towards, axis=1)
    warp[behind | (np.abs(np.linalg.det(np.nan_to_num(warp))) < 1e-3)] = np.nan
    return warp
