"""A model's photos as arrays: what each sees, and projection into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class ModelView:
    """A registered photo.

    keypoints: float64 [N, 2], pixels; points: int64 [N], the model's point of each keypoint, or -1; xyz: float64 [N,
    3], that point's position, or NaN; cam_from_world: float64 [3, 4]; camera: pycolmap's.
    """

    name: str
    keypoints: np.ndarray
    points: np.ndarray
    xyz: np.ndarray
    cam_from_world: np.ndarray
    camera: Any

    @property
    def size(self) -> int:
        """The photo's longer side, pixels."""
        return int(max(self.camera.width, self.camera.height))

    @property
    def center(self) -> np.ndarray:
        """The camera center in the model's frame [3]."""
        return -self.cam_from_world[:, :3].T @ self.cam_from_world[:, 3]

    def project(self, xyz: np.ndarray) -> np.ndarray:
        """Pixels [N, 2] of points [N, 3]; NaN for NaN, and for points behind the camera."""
        local = xyz @ self.cam_from_world[:, :3].T + self.cam_from_world[:, 3]
        pixels = np.full((len(xyz), 2), np.nan)
        ahead = local[:, 2] > 1e-9
        if ahead.any():
            pixels[ahead] = self.camera.img_from_cam(local[ahead])
        return pixels


def model_views(model: Any) -> dict[int, ModelView]:
    """The registered photos of a pycolmap Reconstruction by their image ids."""
    ids = sorted(model.point3D_ids())
    where = np.array([model.point3D(point).xyz for point in ids], np.float64).reshape(-1, 3)
    row = {point: number for number, point in enumerate(ids)}
    views = {}
    for image_id in sorted(model.reg_image_ids()):
        image = model.image(image_id)
        keypoints = np.array([point.xy for point in image.points2D], np.float64).reshape(-1, 2)
        points = np.array(
            [point.point3D_id if point.has_point3D() else -1 for point in image.points2D], np.int64
        )
        xyz = np.full((len(points), 3), np.nan)
        seen = points >= 0
        xyz[seen] = where[[row[int(point)] for point in points[seen]]]
        pose = np.asarray(image.cam_from_world().matrix(), np.float64)
        views[image_id] = ModelView(image.name, keypoints, points, xyz, pose, model.camera(image.camera_id))
    return views
