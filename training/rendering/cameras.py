"""Cameras around a place: as people walk around an object or along a front."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SPREADS = (40.0, 90.0, 180.0, 360.0)  # degrees walked around the object


@dataclass(frozen=True)
class Camera:
    """intrinsics: float64 [3, 3], first pixel center (0, 0); cam_from_world: float64 [3, 4]; size: (width, height) in
    pixels."""

    intrinsics: np.ndarray
    cam_from_world: np.ndarray
    size: tuple[int, int]

    @property
    def center(self) -> np.ndarray:
        return -self.cam_from_world[:, :3].T @ self.cam_from_world[:, 3]


def look_at(eye: np.ndarray, target: np.ndarray, roll: float = 0.0) -> np.ndarray:
    """cam_from_world [3, 4] of a camera at `eye` that looks at `target`; z is up, roll in radians."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    cosine, sine = np.cos(roll), np.sin(roll)
    rotation = np.stack([cosine * right + sine * down, cosine * down - sine * right, forward])
    return np.concatenate([rotation, -rotation @ eye[:, None]], axis=1)


def intrinsics(size: tuple[int, int], field: float) -> np.ndarray:
    """K [3, 3] of a camera with a field of view of `field` radians along its longer side, principal point in the
    middle."""
    focal = max(size) / 2 / np.tan(field / 2)
    return np.array([[focal, 0, (size[0] - 1) / 2], [0, focal, (size[1] - 1) / 2], [0, 0, 1.0]])


def walk_round(
    rng: np.random.Generator,
    extent: float,
    height: float,
    size: tuple[int, int],
    views: int,
    whole: bool = False,
) -> list[Camera]:
    """Cameras on part of a circle around objects of radius `extent` and `height` at the origin, in order.

    The lens stays the same, as on a walk; distance, height and aim vary from view to view. whole: the whole circle,
    with larger variations, up to close-ups and views from above.
    """
    spread = 2 * np.pi if whole else np.radians(rng.choice(SPREADS))
    nearer, higher = (0.35, 14) if whole else (0.2, 6)
    field = np.radians(rng.uniform(38, 68))
    elevation, fill = rng.uniform(8, 55), rng.uniform(0.55, 1.15)
    start = rng.uniform(0, 2 * np.pi)
    radius = max(extent, height / 2)
    cameras = []
    for view in range(views):
        angle = start + spread * (view + rng.uniform(-0.3, 0.3)) / views
        tilt = np.radians(np.clip(elevation + rng.normal(0, higher), 4, 75))
        distance = radius / np.tan(field / 2) / fill * np.exp(rng.normal(0, nearer))
        distance = max(distance, 1.15 * np.hypot(extent, height) + 0.03)
        target = np.array([*rng.normal(0, 0.2 * radius, 2), height * rng.uniform(0.25, 0.6)])
        direction = np.array([np.cos(tilt) * np.cos(angle), np.cos(tilt) * np.sin(angle), np.sin(tilt)])
        eye = np.array([0, 0, height * 0.3]) + distance * direction
        pose = look_at(eye, target, np.radians(rng.normal(0, 5)))
        cameras.append(Camera(intrinsics(size, field), pose, size))
    return cameras


def walk_along(
    rng: np.random.Generator, width: float, height: float, size: tuple[int, int], views: int
) -> list[Camera]:
    """Cameras along a front of `width` and `height` in the plane y = 0, seen from y < 0."""
    field = np.radians(rng.uniform(38, 68))
    shown = rng.uniform(0.35, 0.9) * width  # of the front, in one photo
    depth = shown / 2 / np.tan(field / 2)
    length = rng.uniform(0.3, 1.0) * width
    cameras = []
    for view in range(views):
        along = length * ((view + rng.uniform(0.2, 0.8)) / views - 0.5)
        distance = depth * np.exp(rng.normal(0, 0.2))
        # Between straight ahead and the middle of the front.
        aim = along * rng.uniform(-0.1, 1.0) + rng.normal(0, 0.08 * shown)
        target = np.array([aim, 0, height * rng.uniform(0.35, 0.6)])
        eye = np.array([along * 1.2, -distance, height * rng.uniform(0.15, 0.5)])
        pose = look_at(eye, target, np.radians(rng.normal(0, 4)))
        cameras.append(Camera(intrinsics(size, field), pose, size))
    return cameras
