"""Photos of the scenes' faces by casting rays: for cameras that no homography describes."""

from __future__ import annotations

import cv2
import numpy as np

from tests.support.scenes import Face, box_scene, look_at, meets, noise_texture


def room(seed: int = 0, size: float = 6.0, height: float = 3.0) -> list[Face]:
    """A box on the floor of a closed, textured room; frame as in `scenes`: y down, the floor at 0."""
    x, y, z = np.eye(3)
    corner = np.array([-size / 2, -height, -size / 2])
    wide, deep, high = size * x, size * z, height * y
    walls = [
        (corner, wide, deep), (corner + high, wide, deep), (corner, wide, high), (corner + deep, wide, high),
        (corner, deep, high), (corner + wide, deep, high),
    ]  # fmt: skip
    return [
        Face(start, along, across, noise_texture(seed + 100 + number, 1536))
        for number, (start, along, across) in enumerate(walls)
    ] + box_scene(seed)[1:]


def cast(scene: list[Face], center: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """BGR uint8 [H, W, 3] along rays [H, W, 3] from a point; gray where there is nothing."""
    nearest = np.full(rays.shape[:2], np.inf)
    picture = np.full(rays.shape, 128, np.uint8)
    for face in scene:
        distance, u, v = meets(face, center, rays)
        hit = distance < nearest
        count = face.texture.shape[0]
        place = [np.where(hit, part * count - 0.5, 0).astype(np.float32) for part in (u, v)]
        drawn = cv2.remap(face.texture, *place, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        picture[hit] = drawn[hit]
        nearest[hit] = distance[hit]
    return picture


def panorama_rays(width: int) -> np.ndarray:
    """Directions [width / 2, width, 3] of an equirectangular picture in its camera's frame."""
    longitude = ((np.arange(width) + 0.5) / width - 0.5) * 2 * np.pi
    latitude = (0.5 - (np.arange(width // 2) + 0.5) / (width // 2)) * np.pi
    across, up = np.meshgrid(longitude, latitude)
    return np.stack([np.sin(across) * np.cos(up), -np.sin(up), np.cos(across) * np.cos(up)], axis=-1)


def panorama(scene: list[Face], pose: np.ndarray, width: int) -> np.ndarray:
    """An equirectangular picture from cam_from_world [3, 4], twice oversampled."""
    large = cast(scene, -pose[:, :3].T @ pose[:, 3], panorama_rays(2 * width) @ pose[:, :3])
    return cv2.resize(large, (width, width // 2), interpolation=cv2.INTER_AREA)


def pinhole(scene: list[Face], pose: np.ndarray, size: int) -> np.ndarray:
    """A picture of 90 degrees, size x size pixels, twice oversampled."""
    x = (np.arange(2 * size) + 0.5) / size - 1
    columns, rows = np.meshgrid(x, x)
    rays = np.stack([columns, rows, np.ones_like(columns)], axis=-1) @ pose[:, :3]
    large = cast(scene, -pose[:, :3].T @ pose[:, 3], rays)
    return cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA)


def fisheye(scene: list[Face], pose: np.ndarray, size: int, focal: float) -> np.ndarray:
    """A circular fisheye's picture, size x size pixels, twice oversampled: black outside its circle of `size` pixels.

    focal: in pixels for each radian, the same in all directions (equidistant).
    """
    x = (np.arange(2 * size) + 0.5) / 2 - size / 2
    columns, rows = np.meshgrid(x, x)
    across = np.maximum(np.hypot(columns, rows), 1e-9)
    angle = across / focal
    rays = np.stack([columns / across * np.sin(angle), rows / across * np.sin(angle), np.cos(angle)], axis=-1)
    large = cast(scene, -pose[:, :3].T @ pose[:, 3], rays @ pose[:, :3])
    large[across > size / 2] = 0
    return np.asarray(cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA))


def dome(count: int, radius: float = 1.5) -> list[np.ndarray]:
    """cam_from_world [3, 4] on a dome over the box of `scenes`: two thirds in a low ring, the others in a high one."""
    low = count - count // 3
    poses = []
    for number, members in ((20.0, low), (50.0, count - low)):
        up, around = radius * np.sin(np.radians(number)), radius * np.cos(np.radians(number))
        for angle in 2 * np.pi * (np.arange(members) + number / 100) / members:
            center = np.array([around * np.cos(angle), -0.35 - up, around * np.sin(angle)])
            poses.append(look_at(center, np.array([0, -0.35, 0])))
    return poses
