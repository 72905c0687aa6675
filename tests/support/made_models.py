"""COLMAP models with exact ground truth: cameras, points, and where each point is seen."""

from __future__ import annotations

import numpy as np

from blender_recon3d.pipeline.colmap.calls import pycolmap


def made_model(
    poses: list[np.ndarray],
    camera: pycolmap.Camera,
    xyz: np.ndarray,
    seen: np.ndarray,
    noise: float = 0.0,
    seed: int = 0,
) -> pycolmap.Reconstruction:
    """A model of photos view_00.png, ... with these poses [3, 4] and one camera.

    seen: bool [V, P], which photo sees which point; noise: standard deviation of each coordinate, pixels.
    """
    generator = np.random.default_rng(seed)
    model = pycolmap.Reconstruction()
    model.add_camera_with_trivial_rig(camera)
    tracks = [pycolmap.Track() for _ in xyz]
    for number, pose in enumerate(poses):
        chosen = np.flatnonzero(seen[number])
        pixel = camera.img_from_cam(xyz[chosen] @ pose[:, :3].T + pose[:, 3])
        pixel = pixel + generator.normal(0, noise, pixel.shape) if noise else pixel
        image = pycolmap.Image(
            name=f"view_{number:02d}.png", keypoints=pixel, camera_id=camera.camera_id, image_id=number + 1
        )
        model.add_image_with_trivial_frame(image, pycolmap.Rigid3d(pose))
        for keypoint, point in enumerate(chosen):
            tracks[point].add_element(number + 1, keypoint)
    for point, track in zip(xyz, tracks, strict=True):
        if track.length() >= 2:
            model.add_point3D(point, track, np.array([128, 128, 128], np.uint8))
    model.update_point_3d_errors()
    return model


def visible(poses: list[np.ndarray], camera: pycolmap.Camera, xyz: np.ndarray) -> np.ndarray:
    """bool [V, P]: projections inside the photo, at least 10 pixels from its border."""
    found = np.zeros((len(poses), len(xyz)), bool)
    for number, pose in enumerate(poses):
        local = xyz @ pose[:, :3].T + pose[:, 3]
        front = np.flatnonzero(local[:, 2] > 0.05)
        pixel = camera.img_from_cam(local[front])
        inside = (pixel > 10).all(axis=1) & (pixel < np.array([camera.width, camera.height]) - 10).all(axis=1)
        found[number, front[inside]] = True
    return found


def center_errors(model: pycolmap.Reconstruction, poses: list[np.ndarray]) -> np.ndarray:
    """Distances of the cameras from the truth [V], after the best similarity transform."""
    images = sorted((model.image(i) for i in model.reg_image_ids()), key=lambda image: image.name)
    found = np.array([image.projection_center() for image in images])
    truth = np.array([-pose[:, :3].T @ pose[:, 3] for pose in poses])
    transform = pycolmap.estimate_sim3d(found, truth)
    return np.linalg.norm(np.array([transform * center for center in found]) - truth, axis=1)
