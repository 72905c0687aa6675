"""The ground under a subject: left out of the mesh, or kept as a disc."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .ground import ground_plane

SAMPLE = 100_000  # points from which the plane and its thickness are found
THICKER = 4.0  # times the usual distance of the ground's points from its plane: all of them are within
THICKEST = 0.03  # of the subject's height
ROOM = 1.2  # radius of the disc, relative to the subject's


def off_ground(xyz: np.ndarray, model: Path, up: np.ndarray, disc: bool) -> np.ndarray | None:
    """Which points [N, 3] in the frame of COLMAP's model are kept, bool [N]; None if no ground was found.

    up: unit [3]. disc: the ground is kept in a disc around what stands on it. What is below the ground is left out.
    """
    from ..colmap.model_files import read_model

    images = [image for image in read_model(model).images.values() if image.has_pose]
    if not images:
        return None
    centers = np.stack([image.projection_center() for image in images])
    some = xyz[:: max(1, len(xyz) // SAMPLE)].astype(np.float64)
    plane = ground_plane(some, centers, up)
    if plane is None:
        return None
    normal, offset = plane
    height = xyz @ normal - offset
    top = float(np.percentile(some @ normal - offset, 99))
    close = np.abs(some @ normal - offset)
    near = close[close < THICKEST * top]
    if not len(near) or top <= 0:
        return None
    thickness = min(THICKER * float(np.median(near)), THICKEST * top)
    standing = height > thickness
    if not standing.any() or not disc:
        return standing
    across = xyz - np.outer(xyz @ normal, normal)
    middle = np.median(across[standing], axis=0)
    away = np.linalg.norm(across - middle, axis=1)
    radius = ROOM * float(np.percentile(away[standing], 98))
    return (standing | (height > -thickness)) & (away < radius)
