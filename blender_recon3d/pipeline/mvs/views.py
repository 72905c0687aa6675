"""The undistorted photos as multi-view stereo sees them: cameras, neighbours and depth ranges."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..colmap import pycolmap
from ..events import UserError

# Angle between two views of a point, degrees: below, depth is uncertain; above, surfaces look different.
BEST_ANGLE, SPREAD_BELOW, SPREAD_ABOVE = 8.0, 3.0, 14.0
FEWEST_SHARED = 10  # points two photos must share to be compared


@dataclass(frozen=True, eq=False)  # compared and hashed by identity: arrays are neither
class View:
    """One undistorted photo. intrinsics [3, 3] in pixels (first centre at .5); cam_from_world [3, 4]."""

    name: str
    path: Path
    width: int
    height: int
    intrinsics: np.ndarray
    cam_from_world: np.ndarray

    @property
    def centre(self) -> np.ndarray:
        """The camera's centre in the world."""
        return -self.cam_from_world[:, :3].T @ self.cam_from_world[:, 3]

    def read_gray(self) -> np.ndarray:
        """float32 [H, W] in 0..1."""
        gray = cv2.imdecode(np.fromfile(self.path, np.uint8), cv2.IMREAD_GRAYSCALE)
        if gray is None:
            raise UserError(f"{self.path} cannot be read: delete the dense folder and run again.")
        return gray.astype(np.float32) / 255.0


@dataclass(frozen=True)
class Scene:
    """All views, and for each its neighbours (best first) and the range of depth its sparse points show."""

    views: list[View]
    neighbours: list[list[int]]
    ranges: list[tuple[float, float]]  # nearest and farthest depth; (0, 0) without points


def load_scene(dense: Path, most_neighbours: int) -> Scene:
    """Read `dense/sparse` (PINHOLE cameras) and choose neighbours by shared points and angle."""
    model = pycolmap.Reconstruction(dense / "sparse")
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
    xyz = np.array([point.xyz for point in model.points3D.values()]).reshape(-1, 3)
    seen = np.zeros((len(views), len(xyz)), bool)
    for number, point in enumerate(model.points3D.values()):
        for element in point.track.elements:
            if element.image_id in index:
                seen[index[element.image_id], number] = True
    scores = _scores(views, xyz, seen)
    neighbours = [
        [int(other) for other in np.argsort(-row, kind="stable")[:most_neighbours] if row[other] > 0]
        for row in scores
    ]
    ranges = [_depth_range(view, xyz[mask]) for view, mask in zip(views, seen, strict=True)]
    return Scene(views, neighbours, ranges)


def _scores(views: list[View], xyz: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """[N, N]: the sum over shared points of a weight that is 1 at BEST_ANGLE; 0 where too few are shared."""
    centres = np.array([view.centre for view in views]).reshape(-1, 3)
    scores = np.zeros((len(views), len(views)))
    for first in range(len(views)):
        for second in range(first + 1, len(views)):
            shared = xyz[seen[first] & seen[second]]
            if len(shared) < FEWEST_SHARED:
                continue
            one, other = centres[first] - shared, centres[second] - shared
            cosine = (one * other).sum(1) / (np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1))
            angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
            spread = np.where(angle < BEST_ANGLE, SPREAD_BELOW, SPREAD_ABOVE)
            weight = np.exp(-0.5 * ((angle - BEST_ANGLE) / spread) ** 2).sum()
            scores[first, second] = scores[second, first] = weight
    return scores


def _depth_range(view: View, xyz: np.ndarray) -> tuple[float, float]:
    depth = xyz @ view.cam_from_world[2, :3] + view.cam_from_world[2, 3]
    depth = depth[depth > 0]
    if len(depth) < FEWEST_SHARED:
        return 0.0, 0.0
    near, far = np.percentile(depth, [1, 99])
    return float(near * 0.85), float(far * 1.2)


def scaled_intrinsics(intrinsics: np.ndarray, scale_x: float, scale_y: float) -> np.ndarray:
    """Intrinsics of a photo resized by these factors; with centres at .5 the principal point just scales."""
    return np.diag([scale_x, scale_y, 1.0]) @ intrinsics
