"""A model's cameras, points and observations as arrays, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class Observations:
    """Observations, sorted by point and then by photo.

    xyz [P, 3]; point_ids [P]: COLMAP's ids; point [O]: index into xyz; view [O]: index into the views; keypoint [O]:
    index of the point2D in its photo; pixel [O, 2]. Each keypoint has at most one observation.
    """

    xyz: np.ndarray
    point_ids: np.ndarray
    point: np.ndarray
    view: np.ndarray
    keypoint: np.ndarray
    pixel: np.ndarray

    def __len__(self) -> int:
        return len(self.point)

    def starts(self) -> np.ndarray:
        """The index of each point's first observation and, last, the number of observations [P + 1]."""
        return np.searchsorted(self.point, np.arange(len(self.xyz) + 1))


@dataclass(frozen=True)
class Views:
    """The registered photos: names, camera of each (index into `cameras`), rotation [V, 3, 3] and translation [V, 3]
    of cam_from_world. cameras: pycolmap's."""

    names: list[str]
    image_ids: list[int]
    camera: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    cameras: list[Any]

    def centers(self) -> np.ndarray:
        """The camera centers [V, 3] in the world."""
        return -np.einsum("vij,vi->vj", self.rotation, self.translation)

    def sizes(self) -> np.ndarray:
        """Widths and heights [V, 2], pixels."""
        return np.array([(camera.width, camera.height) for camera in self.cameras])[self.camera]

    def to_camera(self, view: np.ndarray, xyz: np.ndarray) -> np.ndarray:
        """World points [N, 3] in the camera frames of the views [N]."""
        return np.einsum("nij,nj->ni", self.rotation[view], xyz) + self.translation[view]

    def rays(self, view: np.ndarray, pixel: np.ndarray) -> np.ndarray:
        """Directions [N, 3] in the camera frames (z is 1) of pixels [N, 2]; NaN where there is none."""
        rays = np.ones((len(pixel), 3))
        for number, chosen in self._by_camera(view):
            rays[chosen, :2] = self.cameras[number].cam_from_img(pixel[chosen])
        return rays

    def project(self, view: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Pixels [N, 2] of points [N, 3] in the camera frames; NaN behind the camera."""
        pixel = np.full((len(points), 2), np.nan)
        for number, chosen in self._by_camera(view):
            front = chosen[points[chosen, 2] > 1e-12]
            pixel[front] = self.cameras[number].img_from_cam(points[front])
        return pixel

    def _by_camera(self, view: np.ndarray) -> list[tuple[int, np.ndarray]]:
        of = self.camera[view]
        return [(number, np.flatnonzero(of == number)) for number in np.unique(of)]


def read_views(model: Any) -> Views:
    """The registered photos of a pycolmap Reconstruction, sorted by name."""
    images = sorted(
        (model.image(image_id) for image_id in model.reg_image_ids()), key=lambda image: image.name
    )
    poses = [image.cam_from_world() for image in images]
    cameras = sorted({image.camera_id for image in images})
    return Views(
        [image.name for image in images],
        [image.image_id for image in images],
        np.array([cameras.index(image.camera_id) for image in images], np.int64),
        np.array([pose.rotation.matrix() for pose in poses]).reshape(-1, 3, 3),
        np.array([pose.translation for pose in poses]).reshape(-1, 3),
        [model.camera(camera_id) for camera_id in cameras],
    )


def read_observations(model: Any, views: Views) -> Observations:
    """All observations of a pycolmap Reconstruction."""
    index = {image_id: number for number, image_id in enumerate(views.image_ids)}
    pixels = {image_id: _pixels(model.image(image_id)) for image_id in views.image_ids}
    ids = sorted(model.point3D_ids())
    rows, pixel, xyz = [], [], []
    for number, point_id in enumerate(ids):
        point = model.point3D(point_id)
        xyz.append(point.xyz)
        for image_id, keypoint in sorted((e.image_id, e.point2D_idx) for e in point.track.elements):
            rows.append((number, index[image_id], keypoint))
            pixel.append(pixels[image_id][keypoint])
    table = np.array(rows, np.int64).reshape(-1, 3)
    return Observations(
        np.array(xyz, np.float64).reshape(-1, 3),
        np.array(ids, np.int64),
        table[:, 0],
        table[:, 1],
        table[:, 2],
        np.array(pixel, np.float64).reshape(-1, 2),
    )


def _pixels(image: Any) -> dict[int, np.ndarray]:
    return {int(k): image.point2D(int(k)).xy.copy() for k in image.get_observation_point2D_idxs()}


def write_observations(model: Any, views: Views, observations: Observations, keep: np.ndarray) -> None:
    """Write pixels and points into the model they were read from, and delete the observations not in `keep` [O].

    Points left with fewer than two photos are deleted too.
    """
    for v, keypoint, pixel in zip(
        observations.view.tolist(), observations.keypoint.tolist(), observations.pixel, strict=True
    ):
        model.image(views.image_ids[v]).point2D(keypoint).xy = pixel
    for point_id, xyz in zip(observations.point_ids.tolist(), observations.xyz, strict=True):
        model.point3D(point_id).xyz = xyz
    for v, keypoint in zip(
        observations.view[~keep].tolist(), observations.keypoint[~keep].tolist(), strict=True
    ):
        image = model.image(views.image_ids[v])
        if image.point2D(keypoint).has_point3D():  # not deleted with its point
            model.delete_observation(image.image_id, keypoint)
