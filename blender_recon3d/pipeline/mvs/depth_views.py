"""The undistorted photos as input of multi-view stereo: cameras, neighbors and depth ranges."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..colmap.model_files import read_model
from ..errors import FileFormatError, UserError
from ..files.pictures import read_picture
from .pinhole import Pinhole

# Angle between two views of a point, degrees: below, depth is uncertain; above, surfaces look different.
BEST_ANGLE, SPREAD_BELOW, SPREAD_ABOVE = 8.0, 3.0, 14.0
MIN_SHARED = 10  # points two photos must share to be compared


@dataclass(frozen=True, eq=False)  # compared and hashed by identity: arrays support neither
class View(Pinhole):
    """One undistorted photo. intrinsics [3, 3] in pixels (first center at .5); cam_from_world [3, 4]."""

    name: str
    path: Path
    width: int
    height: int
    intrinsics: np.ndarray
    cam_from_world: np.ndarray

    def read_gray(self) -> np.ndarray:
        """uint8 [H, W]."""
        try:
            return read_picture(self.path, cv2.IMREAD_GRAYSCALE)
        except FileFormatError as error:
            raise UserError(f"{self.path} cannot be read: delete the dense folder and run again.") from error


@dataclass(frozen=True)
class Scene:
    """All views, and for each its neighbors (best first) with their scores, the depth range of its sparse points, and
    these points."""

    views: list[View]
    neighbors: list[list[int]]
    ranges: list[tuple[float, float]]  # nearest and farthest depth; (0, 0) without points
    points: list[np.ndarray]  # [P, 3]: x, y in pixels, inverse depth
    scores: list[list[float]] = field(default_factory=list)  # as `_scores`


def load_scene(dense: Path, max_neighbors: int) -> Scene:
    """Read `dense/sparse` (PINHOLE cameras) and choose neighbors by shared points and angle."""
    model = read_model(dense / "sparse")
    ids = sorted(model.reg_image_ids())
    index = {image_id: number for number, image_id in enumerate(ids)}
    views = []
    for image_id in ids:
        image = model.image(image_id)
        camera = model.camera(image.camera_id)
        views.append(
            View(
                name=image.name,
                path=dense / "images" / image.name,
                width=camera.width,
                height=camera.height,
                intrinsics=np.array(camera.calibration_matrix()),
                cam_from_world=np.array(image.cam_from_world().matrix()),
            )
        )
    centers = np.array([view.center for view in views]).reshape(-1, 3)
    tracks = _read_tracks(model, index)
    neighbors, ranges, points, best = [], [], [], []
    for number, view in enumerate(views):
        seen = tracks.points_of(number)
        scores = _scores(number, centers, tracks, seen)
        order = np.argsort(-scores, kind="stable")[:max_neighbors]
        neighbors.append([int(other) for other in order if scores[other] > 0])
        best.append([float(scores[other]) for other in neighbors[-1]])
        ranges.append(_depth_range(view, tracks.xyz[seen]))
        points.append(_projected(view, tracks.xyz[seen]))
    return Scene(views, neighbors, ranges, points, best)


@dataclass(frozen=True)
class _Tracks:
    """Sparse points [P, 3] and their observations: observation k is of point point[k] in view view[k].

    Observations are sorted by point: those of point p are start[p]:start[p + 1]; by_view sorts them by view: those of
    view v are view_start[v]:view_start[v + 1].
    """

    xyz: np.ndarray
    point: np.ndarray
    view: np.ndarray
    start: np.ndarray
    by_view: np.ndarray
    view_start: np.ndarray

    def points_of(self, view: int) -> np.ndarray:
        """The points visible in a view."""
        return np.unique(self.point[self.by_view[self.view_start[view] : self.view_start[view + 1]]])

    def observations_of(self, points: np.ndarray) -> np.ndarray:
        """All observations of the given points."""
        lengths = self.start[points + 1] - self.start[points]
        first = np.repeat(self.start[points] - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
        return first + np.arange(lengths.sum())


def _read_tracks(model: Any, index: dict[int, int]) -> _Tracks:
    points = list(model.points3D.values())
    # Numbers in an array, and not pairs in a set, which would take ten times the memory.
    keys = np.fromiter(
        (
            number * len(index) + index[element.image_id]
            for number, point in enumerate(points)
            for element in point.track.elements
            if element.image_id in index
        ),
        np.int64,
    )
    point, view = np.divmod(np.unique(keys), max(1, len(index)))
    return _Tracks(
        xyz=np.array([point.xyz for point in points]).reshape(-1, 3),
        point=point,
        view=view,
        start=np.searchsorted(point, np.arange(len(points) + 1)),
        by_view=np.argsort(view, kind="stable"),
        view_start=np.searchsorted(np.sort(view), np.arange(len(index) + 1)),
    )


def _scores(number: int, centers: np.ndarray, tracks: _Tracks, seen: np.ndarray) -> np.ndarray:
    """[N] for one view: the sum over points shared with each other view of a weight that is 1 at BEST_ANGLE.

    0 for itself and if too few points are shared.
    """
    if not len(seen):
        return np.zeros(len(centers))
    observations = tracks.observations_of(seen)
    other = tracks.view[observations]
    xyz = tracks.xyz[tracks.point[observations]]
    ours, theirs = centers[number] - xyz, centers[other] - xyz
    cosine = (ours * theirs).sum(1) / (np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1))
    angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    spread = np.where(angle < BEST_ANGLE, SPREAD_BELOW, SPREAD_ABOVE)
    weight = np.exp(-0.5 * ((angle - BEST_ANGLE) / spread) ** 2)
    scores = np.bincount(other, weight, len(centers))
    shared = np.bincount(other, minlength=len(centers))
    scores[shared < MIN_SHARED] = 0
    scores[number] = 0
    return scores


def _depth_range(view: View, xyz: np.ndarray) -> tuple[float, float]:
    depth = xyz @ view.cam_from_world[2, :3] + view.cam_from_world[2, 3]
    depth = depth[depth > 0]
    if len(depth) < MIN_SHARED:
        return 0.0, 0.0
    near, far = np.percentile(depth, [1, 99])
    return float(near * 0.85), float(far * 1.2)


def _projected(view: View, xyz: np.ndarray) -> np.ndarray:
    """The points [P, 3] inside the photo, as x, y in pixels and inverse depth."""
    ours = xyz @ view.cam_from_world[:, :3].T + view.cam_from_world[:, 3]
    ours = ours[ours[:, 2] > 0]
    pixels = ours @ view.intrinsics.T
    projected = np.column_stack([pixels[:, :2] / pixels[:, 2:], 1 / ours[:, 2]])
    return projected[((projected[:, :2] > 0) & (projected[:, :2] < (view.width, view.height))).all(axis=1)]
