"""Which photos of a capture truly overlap, from COLMAP's model of it with SIFT and exhaustive matching.

A photo sees a point of the model if it observed it, or if the point is inside the frame and one of the photos that
observed it is within ANGLE degrees (as seen from the point) and at most RATIO times nearer or farther: then only an
accident can hide it. Two photos share a point if both see it, from directions at most APART degrees apart. They truly
overlap if they share at least SHARE of the points seen by the photo that sees fewer, and at least POINTS of them.
Photos that are not in the model are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.workspace import Workspace

ANGLE, RATIO, APART = 30.0, 2.0, 60.0
SHARE, POINTS = 0.1, 30
STRONG = 0.3  # minimum share of a strong overlap
KEYPOINTS, SIZE = (
    2048,
    1200,
)  # per photo, and its longest side in pixels: enough to determine overlap, and fast
CHUNK = 2000  # points at a time


@dataclass
class Overlap:
    """The overlap of the photos of one capture that are in its model.

    images: the upright photos; total: photos of the capture, registered or not; shared: int [N, N], number of points
    shared by two photos, on the diagonal of those seen by one.
    """

    images: list[Path]
    total: int
    shared: np.ndarray

    @property
    def share(self) -> np.ndarray:
        """float64 [N, N]: shared points as a share of those of the photo that sees fewer."""
        seen = self.shared.diagonal()
        return self.shared / np.maximum(np.minimum(seen[:, None], seen[None]), 1)

    @property
    def truly(self) -> np.ndarray:
        """bool [N, N], symmetric: which photos overlap; False on the diagonal."""
        return self.at_least(SHARE)

    def at_least(self, share: float) -> np.ndarray:
        """bool [N, N], as `truly`, for another minimum share."""
        result = (self.share >= share) & (self.shared >= POINTS)
        np.fill_diagonal(result, False)
        return result


def overlap_of(capture: Path, cache: Path) -> Overlap:
    """The overlap in CAPTURE/photos. Its model is made in CACHE/NAME, and the result is cached in NAME.npz, keyed by
    everything it depends on."""
    workspace = Workspace(cache / capture.name)
    kept = cache / f"{capture.name}.npz"
    identity = (
        f"{ANGLE} {RATIO} {APART} {KEYPOINTS} {SIZE} {sorted(p.name for p in (capture / 'photos').iterdir())}"
    )
    if kept.is_file():
        with np.load(kept) as found:
            images = [workspace.images / name for name in found["names"].tolist()]
            if str(found["identity"]) == identity and all(path.is_file() for path in images):
                return Overlap(images, int(found["total"]), found["shared"])
    result = _reconstruct(capture, workspace)
    names = np.array([path.name for path in result.images])
    np.savez(kept, identity=identity, names=names, total=result.total, shared=result.shared)
    return result


def _reconstruct(capture: Path, workspace: Workspace) -> Overlap:
    settings = JobSettings.build(
        photos=(str(capture / "photos"),),
        features="sift",
        pairs="exhaustive",
        max_keypoints=KEYPOINTS,
        feature_size=SIZE,
        until="sfm",
    )
    run_job(workspace, settings, Progress())
    model = pycolmap.Reconstruction(workspace.model)
    images = sorted(
        (image for image in model.images.values() if image.has_pose), key=lambda image: image.name
    )
    if len(images) < 3:
        raise UserError(f"COLMAP finds no model of {capture}: nothing tells which photos overlap.")
    paths = [workspace.images / image.name for image in images]
    return Overlap(paths, len(workspace.used_photos()), _shared(model, images))


def _shared(model: pycolmap.Reconstruction, images: list[pycolmap.Image]) -> np.ndarray:
    points = list(model.points3D.values())
    place = {image.image_id: index for index, image in enumerate(images)}
    positions = np.array([point.xyz for point in points])
    observed = np.zeros((len(points), len(images)), bool)
    for row, point in enumerate(points):
        for element in point.track.elements:
            if element.image_id in place:
                observed[row, place[element.image_id]] = True
    framed = np.stack(
        [_in_frame(model.cameras[image.camera_id], image, positions) for image in images], axis=1
    )
    centers = np.array([image.projection_center() for image in images])
    shared = np.zeros((len(images), len(images)), np.int64)
    for start in range(0, len(points), CHUNK):
        part = slice(start, start + CHUNK)
        shared += shared_points(positions[part], centers, observed[part], framed[part])
    return shared


def shared_points(
    points: np.ndarray, centers: np.ndarray, observed: np.ndarray, framed: np.ndarray
) -> np.ndarray:
    """How many of points [P, 3] each two photos share, int [N, N], by the rule above.

    centers: [N, 3]; observed and framed: bool [P, N], which photos observed a point, and which have it in frame.
    """
    rays = centers[None] - points[:, None]
    distance = np.linalg.norm(rays, axis=2)
    rays /= np.maximum(distance, 1e-12)[..., None]
    cosine = np.einsum("pik,pjk->pij", rays, rays)
    ratio = distance[:, :, None] / np.maximum(distance[:, None], 1e-12)
    alike = (cosine > np.cos(np.radians(ANGLE))) & (ratio < RATIO) & (ratio > 1 / RATIO)
    seen = observed | (framed & (alike & observed[:, None]).any(axis=2))
    both = seen[:, :, None] & seen[:, None] & (cosine > np.cos(np.radians(APART)))
    return np.asarray(both.sum(axis=0))


def _in_frame(camera: pycolmap.Camera, image: pycolmap.Image, points: np.ndarray) -> np.ndarray:
    """Which points [P, 3] are in front of the camera and inside its picture, bool [P]."""
    pose = image.cam_from_world()
    local = points @ pose.rotation.matrix().T + pose.translation
    ahead = local[:, 2] > 1e-9
    pixels = np.full((len(points), 2), -1.0)
    pixels[ahead] = camera.img_from_cam(local[ahead])
    inside = (pixels >= 0).all(axis=1) & (pixels[:, 0] <= camera.width) & (pixels[:, 1] <= camera.height)
    return np.asarray(ahead & inside)
