"""A drum that is photographed all around, turned over, and photographed again: on a turntable before a wall that stands
still, or on a table by walking around it.

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


def around(count: int, offset: float = 0.0, height: float = 0.8) -> list[np.ndarray]:
    """cam_from_table [3, 4] of `count` photos, 25 degrees above the table's level; offset: in steps between photos."""
    angles = 2 * np.pi * (np.arange(count) + offset) / count
    return [look_at(np.array([1.7 * np.cos(a), -height, 1.7 * np.sin(a)]), np.zeros(3)) for a in angles]


def of_other_side(pose: np.ndarray) -> np.ndarray:
    """cam_from_drum of a camera's pose relative to the table on which the drum was turned over."""
    return np.column_stack([pose[:, :3] @ TURNED_OVER, pose[:, 3]])


def table(pose: np.ndarray, texture: np.ndarray) -> np.ndarray:
    """The table under the drum, BGR uint8 [H, W, 3], from cam_from_table [3, 4]; gray beyond 3 m."""
    x, y = np.meshgrid(np.arange(2 * WIDTH) + 0.5, np.arange(2 * HEIGHT) + 0.5)
    rays = np.stack([x / 2, y / 2, np.ones_like(x)], -1) @ np.linalg.inv(INTRINSICS).T @ pose[:, :3]
    center = -pose[:, :3].T @ pose[:, 3]
    distance = (HALF - center[1]) / rays[..., 1]
    points = center + rays * distance[..., None]
    u, v = (len(texture) / 2 + 360 * points[..., axis].astype(np.float32) for axis in (0, 2))
    drawn = cv2.remap(texture, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    drawn[(distance <= 0) | (np.abs(points[..., [0, 2]]).max(axis=2) > 3)] = 150
    return np.asarray(cv2.resize(drawn, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))


def write_both_sides(
    folder: Path, count: int, tables: tuple[int, int] | None = None
) -> dict[str, np.ndarray]:
    """Photos in folder/up and folder/down; returns cam_from_drum by the photos' names in a workspace.

    tables: seeds of the tables' textures; None for a turntable before a wall.
    """
    truth = {}
    for side in ("up", "down"):
        (folder / side).mkdir(parents=True)
        behind = wall(0) if side == "up" else np.flip(wall(0), axis=(0, 1))
        texture = noise_texture(tables[side == "down"], 1536) if tables else None
        walked = side == "down" and tables
        for number, pose in enumerate(around(count, 0.5, 0.9) if walked else around(count)):
            if texture is not None:
                behind = table(pose, texture)
            pose = of_other_side(pose) if side == "down" else pose
            noise = np.random.default_rng(number).normal(0, 2, (HEIGHT, WIDTH, 3))
            photo = np.clip(drum_photo(pose, behind) + noise, 0, 255).astype(np.uint8)
            content = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, 93])[1].tobytes()
            (folder / side / f"{number:02d}.jpg").write_bytes(content)
            truth[f"{side}_{number:02d}.jpg"] = pose
    return truth
