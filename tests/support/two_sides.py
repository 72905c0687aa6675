"""A drum that is photographed on a turntable, turned over, and photographed again, before a wall that stands still.

It has eight sides, and a top and a bottom that only one half of the photos shows. Its frame: y down, its middle at the
origin; units meters.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np

from tests.support.masked_scenes import wall
from tests.support.scenes import HEIGHT, INTRINSICS, WIDTH, look_at, noise_texture

SIDES, RADIUS, HALF = 8, 0.45, 0.3  # of the drum: the distance of its sides from the axis, half its height
TEXTURE, PIXELS = 768, 700.0  # of each face; pixels for each meter
TURNED_OVER = np.diag([1.0, -1.0, -1.0])  # about x


def _faces() -> tuple[np.ndarray, np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """Outward normals [F, 3], distances [F] from the origin, and two axes in each face."""
    angles = 2 * np.pi * np.arange(SIDES) / SIDES
    around = np.column_stack([np.cos(angles), np.zeros(SIDES), np.sin(angles)])
    normals = np.vstack([around, [0, -1, 0], [0, 1, 0]])
    x, y, z = np.eye(3)
    axes = [(np.cross(y, normal), y) for normal in around] + [(x, z), (x, z)]
    return normals, np.array([RADIUS] * SIDES + [HALF] * 2), axes


@cache
def _texture(face: int) -> np.ndarray:
    return noise_texture(50 + face)


def see(pose: np.ndarray, scale: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The face, int [H, W], -1 for none, and the point [H, W, 3] that each pixel shows. scale: of the picture."""
    x, y = np.meshgrid(np.arange(WIDTH * scale) + 0.5, np.arange(HEIGHT * scale) + 0.5)
    rays = np.stack([x / scale, y / scale, np.ones_like(x)], -1) @ np.linalg.inv(INTRINSICS).T @ pose[:, :3]
    center = -pose[:, :3].T @ pose[:, 3]
    normals, distances, _ = _faces()
    toward, above = rays @ normals.T, center @ normals.T - distances
    with np.errstate(divide="ignore", invalid="ignore"):
        hit = -above / toward
    enters = np.where(toward < 0, hit, -np.inf)
    leaves = np.where(toward > 0, hit, np.inf).min(axis=2)
    face = enters.argmax(axis=2)
    depth = np.take_along_axis(enters, face[..., None], axis=2)
    face[depth[..., 0] >= leaves] = -1
    return face, center + rays * depth


def drum_photo(pose: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """BGR uint8 [H, W, 3], twice oversampled, before the picture `behind`."""
    face, points = see(pose, 2)
    photo = cv2.resize(behind, (2 * WIDTH, 2 * HEIGHT)).astype(np.uint8)
    for number, axes in enumerate(_faces()[2]):
        shown = face == number
        if shown.any():
            u, v = (TEXTURE / 2 + PIXELS * points @ axis for axis in axes)
            drawn = cv2.remap(_texture(number), u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR)
            photo[shown] = drawn[shown]
    return np.asarray(cv2.resize(photo, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))


def poses_of_both_sides(count: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """cam_from_drum [3, 4] of `count` photos of each side, from 25 degrees above the turntable."""
    first = []
    for angle in 2 * np.pi * np.arange(count) / count:
        first.append(look_at(np.array([1.7 * np.cos(angle), -0.8, 1.7 * np.sin(angle)]), np.zeros(3)))
    return first, [np.column_stack([pose[:, :3] @ TURNED_OVER, pose[:, 3]]) for pose in first]


def write_both_sides(folder: Path, count: int) -> dict[str, np.ndarray]:
    """Photos in folder/up and folder/down; returns cam_from_drum by the photos' names in a workspace."""
    truth = {}
    for side, poses in zip(("up", "down"), poses_of_both_sides(count), strict=True):
        (folder / side).mkdir(parents=True)
        behind = wall(0) if side == "up" else np.flip(wall(0), axis=(0, 1))
        for number, pose in enumerate(poses):
            noise = np.random.default_rng(number).normal(0, 2, (HEIGHT, WIDTH, 3))
            photo = np.clip(drum_photo(pose, behind) + noise, 0, 255).astype(np.uint8)
            content = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, 93])[1].tobytes()
            (folder / side / f"{number:02d}.jpg").write_bytes(content)
            truth[f"{side}_{number:02d}.jpg"] = pose
    return truth
