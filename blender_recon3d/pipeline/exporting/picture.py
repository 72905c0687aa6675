"""A picture of a textured mesh from four sides, textured above and as clay below, rendered by the engine itself.

For machines without Blender, or a quick look: unlit texture, no shadows, a plain background.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..files.atomic_files import atomic_file
from ..texturing.raster import NOTHING, draw, planes
from ..texturing.textured_mesh import TexturedMesh

SIDES = (0, 90, 180, 270)  # degrees about the up axis
LIFT = 20  # degrees from which the camera looks down
DISTANCE = 4.0  # of the camera from the middle, in radii; like a long lens
MARGIN = 0.04  # of a view's width, on either side
SAMPLES = 2  # along each side of a pixel
MAX_TEXTURE = 2048  # pixels; a finer one would only flicker at this size
BACKGROUND = (0.93, 0.93, 0.93)
# Key, fill and rim: directions in the camera's frame (x right, y down, z forward) that the light comes from.
LIGHTS = (((-0.5, -0.7, -0.6), 0.75), ((0.8, -0.1, -0.5), 0.25), ((0.0, -0.9, 0.3), 0.25))
AMBIENT = 0.1
CLAY = 0.55  # albedo


def write_picture(path: Path, mesh: TexturedMesh, texture: np.ndarray, size: int = 480) -> None:
    """Write a picture of 4 x 2 views, `size` pixels wide each; the file's ending says PNG or JPEG.

    mesh: z up. texture: uint8 RGB [H, W, 3], its first row at v = 1.
    """
    picture = four_sides(mesh, texture, size)
    data = cv2.imencode(path.suffix.lower(), picture[..., ::-1])[1]
    with atomic_file(path) as part:
        part.write_bytes(data.tobytes())


def four_sides(mesh: TexturedMesh, texture: np.ndarray, size: int) -> np.ndarray:
    """uint8 RGB [H, 4 * size, 3]: textured above, clay below."""
    scale = min(1.0, MAX_TEXTURE / max(texture.shape[:2]))
    texture = cv2.resize(texture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    middle = (mesh.positions.min(axis=0) + mesh.positions.max(axis=0)) / 2
    radius = float(np.linalg.norm(mesh.positions - middle, axis=1).max()) or 1.0
    away = np.array([0, 0, DISTANCE * radius])
    sides = [(rotation, (mesh.positions - middle) @ rotation.T + away) for rotation in map(_look, SIDES)]
    intrinsics, height = _frame([points for _, points in sides], SAMPLES * size)
    views = [_view(mesh, texture, *side, intrinsics, SAMPLES * size, height) for side in sides]
    rows = [np.concatenate(row, axis=1) for row in zip(*views, strict=True)]
    picture = np.concatenate(rows)
    picture = cv2.resize(picture, None, fx=1 / SAMPLES, fy=1 / SAMPLES, interpolation=cv2.INTER_AREA)
    return np.rint(255 * picture).astype(np.uint8)


def _frame(views: list[np.ndarray], width: int) -> tuple[np.ndarray, int]:
    """Intrinsics [3, 3] with which the points of every view [V, 3] fit the picture, and the picture's height."""
    flat = np.concatenate([points[:, :2] / points[:, 2:] for points in views])
    across = np.abs(flat[:, 0]).max()
    low, high = flat[:, 1].min(), flat[:, 1].max()
    margin = MARGIN * width
    focal = (width / 2 - margin) / max(across, (high - low) / 2, 1e-12)
    height = SAMPLES * int(np.ceil((focal * (high - low) + 2 * margin) / SAMPLES))
    return np.array([[focal, 0, width / 2], [0, focal, margin - focal * low], [0, 0, 1]]), height


def _view(
    mesh: TexturedMesh,
    texture: np.ndarray,
    rotation: np.ndarray,
    points: np.ndarray,
    intrinsics: np.ndarray,
    width: int,
    height: int,
) -> tuple[np.ndarray, np.ndarray]:
    """The mesh from one side, textured and in clay: float32 [height, width, 3] each, 0..1.

    points: the vertices [V, 3] in the camera's frame, into which `rotation` [3, 3] turns.
    """
    face, _ = draw(points, mesh.faces, intrinsics, width, height)
    textured, clay = (np.full((height, width, 3), BACKGROUND, np.float32) for _ in range(2))
    row, column = np.nonzero(face != NOTHING)
    if not len(row):  # a flat surface, edge on
        return textured, clay
    hit = mesh.faces[face[row, column]]
    shares = _barycentric(points, hit, intrinsics, column + 0.5, row + 0.5)
    uv, normals, rays = (
        np.einsum("nk,nkc->nc", shares, values[hit]) for values in (mesh.uv, mesh.normals, points)
    )
    textured[row, column] = sampled(texture, uv)
    clay[row, column] = _shaded(normals @ rotation.T, rays)[:, None]
    return textured, clay


def _look(side: float) -> np.ndarray:
    """Rotation [3, 3] from the z-up world into a camera (x right, y down, z forward) that looks at the middle."""
    azimuth, lift = np.radians(side), np.radians(LIFT)
    forward = -np.array([np.sin(azimuth) * np.cos(lift), -np.cos(azimuth) * np.cos(lift), np.sin(lift)])
    right = np.cross(forward, [0, 0, 1])
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward])


def _barycentric(
    points: np.ndarray, hit: np.ndarray, intrinsics: np.ndarray, x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Perspective-correct barycentric coordinates [N, 3] of each pixel. hit: the triangle's vertices [N, 3]."""
    corners = points[hit]
    flat = corners @ intrinsics.T
    flat = flat[..., :2] / flat[..., 2:]
    # Corner k's share over depth is linear in the picture.
    plane = planes(flat, np.eye(3)[None] / corners[..., 2:])
    shares = plane[..., 0] * x[:, None] + plane[..., 1] * y[:, None] + plane[..., 2]
    shares = np.clip(shares, 0, None)
    return shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-30)


def sampled(texture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """The texture at uv [N, 2], bilinear: float32 [N, 3] in 0..1."""
    height, width, _ = texture.shape
    x = (uv[:, 0] * width - 0.5).astype(np.float32)
    y = ((1 - uv[:, 1]) * height - 0.5).astype(np.float32)
    columns = 4096  # OpenCV takes no picture longer than 32,767
    filler = -len(x) % columns
    x, y = (np.pad(values, (0, filler)).reshape(-1, columns) for values in (x, y))
    colors = cv2.remap(texture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return colors.reshape(-1, 3)[: len(uv)].astype(np.float32) / 255


def _shaded(normals: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """Brightness [N] of clay; both sides of a face are lit alike."""
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    normals = np.where((normals * rays).sum(axis=1, keepdims=True) > 0, -normals, normals)
    light = np.full(len(normals), AMBIENT)
    for direction, strength in LIGHTS:
        unit = np.array(direction) / np.linalg.norm(direction)
        light += strength * np.clip(normals @ unit, 0, None)
    return np.clip(CLAY * light, 0, 1) ** (1 / 2.2)
