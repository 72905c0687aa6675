"""A small scene with exact truth for tests: a textured box on textured ground, drawn with homographies.

Frame: right-handed, y down (COLMAP's cameras upright), units meters; the ground is y = 0, "up" is -y.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

WIDTH, HEIGHT, FOCAL = 640, 480, 560.0
INTRINSICS = np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1.0]])


@dataclass(frozen=True)
class Face:
    """A textured rectangle: corner, two edges (3-vectors) and a texture [T, T, 3]."""

    corner: np.ndarray
    along: np.ndarray
    across: np.ndarray
    texture: np.ndarray

    @property
    def normal(self) -> np.ndarray:
        """Unit normal, away from the visible side."""
        n = np.cross(self.along, self.across)
        return n / np.linalg.norm(n)


def noise_texture(seed: int, size: int = 768) -> np.ndarray:
    """Noise at all scales, uint8 [size, size, 3]: corners at every distance."""
    generator = np.random.default_rng(seed)
    total = np.zeros((size, size, 3), np.float32)
    for cells in (6, 16, 48, 128, 256):
        grid = generator.random((cells, cells, 3)).astype(np.float32)
        grid = 0.6 * grid.mean(axis=2, keepdims=True) + 0.4 * grid
        total += cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)
    low, high = total.min(), total.max()
    return ((total - low) / (high - low) * 255).astype(np.uint8)


def spot_texture(seed: int, size: int = 768) -> np.ndarray:
    """Round spots of all sizes and shades, uint8 [size, size, 3]: for detectors of blobs."""
    generator = np.random.default_rng(seed)
    texture = np.full((size, size, 3), 128, np.uint8)
    for radius in np.sort(generator.uniform(5, 40, 900))[::-1]:
        center = tuple(int(value) for value in generator.integers(0, size, 2))
        cv2.circle(texture, center, int(radius), [int(generator.integers(20, 236))] * 3, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(texture, (0, 0), 1.5)


def box_scene(seed: int = 0, texture: Callable[[int], np.ndarray] = noise_texture) -> list[Face]:
    """Ground of 4 x 4 m, a box of 0.9 x 0.6 x 0.7 m on it; farthest first if seen from above."""
    x, y, z = np.eye(3)
    low, high = np.array([-0.45, -0.7, -0.3]), np.array([0.45, 0.0, 0.3])
    w, h, d = high - low
    t = [texture(seed * 10 + number) for number in range(6)]
    return [
        Face(np.array([-2.0, 0, -2]), 4 * z, 4 * x, t[0]),
        Face(low, w * x, h * y, t[1]),  # towards -z
        Face(high, -h * y, -w * x, t[2]),  # towards +z
        Face(low, h * y, d * z, t[3]),  # towards -x
        Face(high, -d * z, -h * y, t[4]),  # towards +x
        Face(low, d * z, w * x, t[5]),  # top, towards -y
    ]


def look_at(center: np.ndarray, target: np.ndarray) -> np.ndarray:
    """cam_from_world [3, 4] of a level camera at `center` that looks at `target`."""
    forward = target - center
    forward = forward / np.linalg.norm(forward)
    right = np.cross(np.array([0, 1.0, 0]), forward)
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    return np.column_stack([rotation, -rotation @ center])


def ring(count: int, radius: float = 2.0, height: float = 1.2, arc: float = 2.2) -> list[np.ndarray]:
    """Poses on an arc (radians) around the box."""
    angles = np.linspace(-arc / 2, arc / 2, count) - np.pi / 2
    target = np.array([0, -0.3, 0])
    return [
        look_at(np.array([radius * np.cos(a), -height - 0.08 * (i % 3), radius * np.sin(a)]), target)
        for i, a in enumerate(angles)
    ]


def render(scene: list[Face], pose: np.ndarray, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """BGR uint8 [H, W, 3], twice oversampled."""
    scale = 2
    intrinsics = np.diag([scale, scale, 1.0]) @ INTRINSICS
    image = np.full((height * scale, width * scale, 3), 190, np.uint8)
    center = -pose[:, :3].T @ pose[:, 3]
    for face in scene:
        if _facing(face, center):
            homography = _homography(face, pose, intrinsics)
            size = (width * scale, height * scale)
            drawn = cv2.warpPerspective(face.texture, homography, size, flags=cv2.INTER_LINEAR)
            ones = np.full(face.texture.shape[:2], 255, np.uint8)
            mask = cv2.warpPerspective(ones, homography, size, flags=cv2.INTER_NEAREST)
            image[mask > 0] = drawn[mask > 0]
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _facing(face: Face, center: np.ndarray) -> bool:
    return float((center - face.corner) @ face.normal) < 0


def _homography(face: Face, pose: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
    """From texture pixels (integer centers) to image pixels (integer centers)."""
    size = face.texture.shape[0]
    rotation, translation = pose[:, :3], pose[:, 3]
    plane = np.column_stack(
        [
            rotation @ face.along / size,
            rotation @ face.across / size,
            rotation @ face.corner + translation,
        ]
    )
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    return np.linalg.inv(half) @ intrinsics @ plane @ half


def meets(face: Face, center: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where rays [H, W, 3] from a point meet a face: in multiples of the rays, infinite where they miss it, and as
    shares of its sides."""
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = ((face.corner - center) @ face.normal) / (rays @ face.normal)
        offset = center + rays * distance[..., None] - face.corner
        u = offset @ face.along / (face.along @ face.along)
        v = offset @ face.across / (face.across @ face.across)
        hit = (distance > 1e-6) & (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1)
    return np.where(hit, distance, np.inf), u, v


def depth(
    scene: list[Face],
    pose: np.ndarray,
    place: float = 0.5,
    intrinsics: np.ndarray = INTRINSICS,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> np.ndarray:
    """True depth (camera z) [H, W], 0 where nothing is; place: in each pixel, 0.5 its center, 0 where depth maps
    say it."""
    x, y = np.meshgrid(np.arange(size[0]) + place, np.arange(size[1]) + place)
    rays = np.stack([x, y, np.ones_like(x)], -1) @ np.linalg.inv(intrinsics).T @ pose[:, :3]
    center = -pose[:, :3].T @ pose[:, 3]
    nearest = np.full(x.shape, np.inf)
    for face in scene:
        z, _, _ = meets(face, center, rays)
        nearest = np.minimum(nearest, z)
    return np.where(np.isfinite(nearest), nearest, 0.0)


def write_capture(
    folder: Path, poses: list[np.ndarray], scene: list[Face], prefix: str = "view"
) -> list[Path]:
    """JPEG photos of the scene, named prefix_00.jpg and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, pose in enumerate(poses):
        path = folder / f"{prefix}_{number:02d}.jpg"
        path.write_bytes(
            cv2.imencode(".jpg", render(scene, pose), [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
        )
        paths.append(path)
    return paths
