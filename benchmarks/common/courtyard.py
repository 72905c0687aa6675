"""A walk around a courtyard of any size, rendered: photos with exact cameras, depth and normals.

The camera looks outward at a wall of flat sections, each with its own texture and panels that stand out from it, and
at the ground. The size of the courtyard grows with the number of photos, so that each photo overlaps with as many
others however many there are, and the last with the first. World: x, y on the ground, z up, meters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

STEP = 0.6  # meters between two photos, along the wall
SECTION = 10.0  # meters of wall without a bend
DISTANCE = 4.0  # meters from the camera to the wall
HEIGHT = 6.0  # of the wall, meters
TEXEL = 0.006  # meters
PANELS = 5  # of a section
SKY = 235  # gray value


@dataclass(frozen=True)
class Photo:
    """pixels uint8 [H, W, 3] BGR; depth float32 [H, W]: the camera's z, 0 is none; normal float32 [H, W, 3] in the
    camera's frame, facing it."""

    pixels: np.ndarray
    depth: np.ndarray
    normal: np.ndarray


@dataclass(frozen=True)
class _Plane:
    """A rectangle: points origin + s * along + t * up, 0 <= s < width, 0 <= t < height, in meters."""

    origin: np.ndarray
    along: np.ndarray
    up: np.ndarray
    width: float
    height: float
    texture: np.ndarray


class Courtyard:
    """size: width and height of its photos in pixels."""

    def __init__(self, photos: int, size: tuple[int, int] = (480, 360)) -> None:
        self.photos, self.size = photos, size
        self.focal = size[0] * 35 / 36  # that of a 35 mm lens
        self.sections = max(5, round(photos * STEP / SECTION))
        self.radius = SECTION / (2 * np.tan(np.pi / self.sections))  # of the circle inside the wall
        self._planes = lru_cache(maxsize=8)(self._made)

    def names(self) -> list[str]:
        return [f"{number:05d}.jpg" for number in range(self.photos)]

    @property
    def intrinsics(self) -> np.ndarray:
        """[3, 3], first pixel center at .5."""
        return np.array([[self.focal, 0, self.size[0] / 2], [0, self.focal, self.size[1] / 2], [0, 0, 1]])

    def cam_from_world(self, number: int) -> np.ndarray:
        """[3, 4] of a photo."""
        angle = 2 * np.pi * number / self.photos
        random = np.random.default_rng(number)
        yaw, pitch = random.normal(0, [0.10, 0.05])
        center = (self.radius - DISTANCE + random.normal(0, 0.15)) * np.array(
            [np.cos(angle), np.sin(angle), 0]
        )
        center[2] = (1.3, 1.7, 2.1)[number % 3]
        ahead = np.array(
            [np.cos(angle + yaw) * np.cos(pitch), np.sin(angle + yaw) * np.cos(pitch), np.sin(pitch)]
        )
        right = np.cross(ahead, [0, 0, 1])
        right /= np.linalg.norm(right)
        rotation = np.stack([right, np.cross(ahead, right), ahead])
        return np.column_stack([rotation, -rotation @ center])

    def render(self, number: int) -> Photo:
        """The photo; a ray takes the nearest rectangle."""
        width, height = self.size
        pose = self.cam_from_world(number)
        rotation, center = pose[:, :3], -pose[:, :3].T @ pose[:, 3]
        x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        rays = np.stack([(x - width / 2) / self.focal, (y - height / 2) / self.focal, np.ones_like(x)], -1)
        world = (rays @ rotation).astype(np.float32)
        depth = np.full((height, width), np.inf, np.float32)
        pixels = np.full((height, width, 3), SKY, np.uint8)
        normal = np.zeros((height, width, 3), np.float32)
        for plane in self._near(number):
            facing = np.cross(plane.along, plane.up)
            with np.errstate(divide="ignore", invalid="ignore"):
                far = ((plane.origin - center) @ facing / (world @ facing.astype(np.float32))).astype(
                    np.float32
                )
            at = world * far[..., None] + (center - plane.origin).astype(np.float32)
            s, t = at @ plane.along.astype(np.float32), at @ plane.up.astype(np.float32)
            seen = (far > 0) & (far < depth) & (s >= 0) & (s < plane.width) & (t >= 0) & (t < plane.height)
            if not seen.any():
                continue
            color = cv2.remap(
                plane.texture, s / TEXEL, t / TEXEL, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
            )
            depth[seen], pixels[seen] = far[seen], color[seen]
            own = rotation @ facing
            normal[seen] = own if own @ (rotation @ (plane.origin - center)) < 0 else -own
        noise = np.random.default_rng(number).normal(0, 2, pixels.shape[:2])[..., None]
        pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
        return Photo(pixels, np.where(np.isfinite(depth), depth, 0), normal)

    def _near(self, number: int) -> Iterator[_Plane]:
        section = number * self.sections // self.photos
        for step in range(-2, 3):
            yield from self._planes((section + step) % self.sections)

    def _made(self, section: int) -> list[_Plane]:
        """The wall of a section, the ground before it, and its panels."""
        random = np.random.default_rng(10_000 + section)
        angle = 2 * np.pi * (section + 0.5) / self.sections
        out, along = np.array([np.cos(angle), np.sin(angle), 0]), np.array([-np.sin(angle), np.cos(angle), 0])
        corner = self.radius * out - 0.5 * SECTION * along
        up = np.array([0.0, 0, 1])
        planes = [
            _Plane(corner, along, up, SECTION, HEIGHT, _texture(random, SECTION, HEIGHT)),
            _Plane(corner, along, -out, SECTION, 1.2 * DISTANCE, _texture(random, SECTION, 1.2 * DISTANCE)),
        ]
        for place in range(PANELS):
            wide, high = random.uniform(0.6, 1.6), random.uniform(0.8, 2.4)
            left = (place + random.uniform(0, 0.9 - wide / 2)) * SECTION / PANELS
            origin = corner - random.uniform(0.2, 0.7) * out + left * along + random.uniform(0, 2.0) * up
            planes.append(_Plane(origin, along, up, wide, high, _texture(random, wide, high)))
        return planes


def _texture(random: np.random.Generator, width: float, height: float) -> np.ndarray:
    """uint8 [H, W, 3]: noise at several scales around a color of its own."""
    size = (int(width / TEXEL) + 2, int(height / TEXEL) + 2)
    total = np.zeros((size[1], size[0]), np.float32)
    for cell in (4, 12, 40, 130):
        grid = random.normal(0, 1, (size[1] // cell + 2, size[0] // cell + 2)).astype(np.float32)
        total += cv2.resize(grid, size, interpolation=cv2.INTER_CUBIC)
    tint = random.uniform(90, 160, 3).astype(np.float32)
    return np.clip(tint + 28 * total[..., None] * random.uniform(0.7, 1.0, 3), 0, 255).astype(np.uint8)
