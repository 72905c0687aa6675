"""The box scene's photos and a model of them whose observations are off by a known amount."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.refining.patches import PhotoCache
from blender_recon3d.pipeline.refining.tracks import LEVELS
from tests.support.made_models import made_model, visible
from tests.support.scenes import FOCAL, HEIGHT, WIDTH, box_scene, depth, render, ring

VIEWS = 8
POINTS = 260


@dataclass(frozen=True)
class Truth:
    """xyz [P, 3]; normal [P, 3], away from the surface; poses: cam_from_world [3, 4] of each photo."""

    xyz: np.ndarray
    normal: np.ndarray
    poses: list[np.ndarray]


@functools.cache
def box_pictures() -> list[np.ndarray]:
    """Gray photos."""
    return [cv2.cvtColor(render(box_scene(), pose), cv2.COLOR_BGR2GRAY) for pose in ring(VIEWS)]


def box_camera(params: tuple[float, ...] = (FOCAL, WIDTH / 2, HEIGHT / 2, 0.0)) -> pycolmap.Camera:
    return pycolmap.Camera(model="SIMPLE_RADIAL", width=WIDTH, height=HEIGHT, params=params, camera_id=1)


def box_model(noise: float) -> tuple[pycolmap.Reconstruction, list[np.ndarray], Truth]:
    """A model with exact cameras; noise: of its observations, pixels."""
    generator = np.random.default_rng(5)
    poses, scene, camera = ring(VIEWS), box_scene(), box_camera()
    faces = [face for face in scene if abs(face.normal[1]) < 0.5 or face.normal[1] > 0.5]
    share = generator.uniform(0.08, 0.92, (len(faces), POINTS, 2))
    xyz = np.concatenate(
        [
            face.corner + place[:, :1] * face.along + place[:, 1:] * face.across
            for face, place in zip(faces, share, strict=True)
        ]
    )
    normal = np.concatenate([np.tile(-face.normal, (POINTS, 1)) for face in faces])
    seen = visible(poses, camera, xyz)
    for number, pose in enumerate(poses):
        surface = depth(scene, pose)
        local = xyz @ pose[:, :3].T + pose[:, 3]
        pixel = np.clip((camera.img_from_cam(local) - 0.5).round().astype(int), 0, [WIDTH - 1, HEIGHT - 1])
        seen[number] &= np.abs(surface[pixel[:, 1], pixel[:, 0]] - local[:, 2]) < 0.02
    enough = seen.sum(axis=0) >= 3
    xyz, normal, seen = xyz[enough], normal[enough], seen[:, enough]
    return made_model(poses, camera, xyz, seen, noise), box_pictures(), Truth(xyz, normal, poses)


def photos_of(pictures: list[np.ndarray], longest: int = 640) -> PhotoCache:
    return PhotoCache(lambda number: pictures[number], LEVELS, longest, 2**28)
