"""How the photos see a mesh: its depth in each, the vertices each shows, and the photos used for a vertex."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..events import Progress
from ..meshing.topology import Mesh, cross_products
from ..texturing.raster import draw
from .gray_views import GrayView

MAP_PIXELS = 1200  # longest side of the depth maps
BEHIND = 0.004  # of inverse depth: points farther behind the visible surface are hidden
FRAME = 6  # pixels of the map: vertices closer to the photo's edge are not used
MIN_COSINE = 0.2  # between a surface's normal and the direction to the camera: 78 degrees
NEAR_ANGLE = 4.0  # degrees between two cameras: a smaller angle says little about depth
FAR_ANGLE, FAR_SPREAD = 25.0, 25.0  # degrees from the first camera: beyond that, surfaces look different
BLOCK = 50_000  # vertices at once, which bounds the memory


@dataclass(frozen=True)
class SurfaceViews:
    """The photos used for V vertices.

    inverse_depths: of the mesh in each photo, float32 [h, w] at the photo's size or smaller, 0 outside the mesh.
    chosen int16 [V, K]: photos that show a vertex, the most frontal and finest first, -1 if there are no more. pixel
    float32 [V]: a pixel's width at the vertex in the finest of its photos, in units of the model; for vertices that are
    not visible, the median of the others'.
    """

    inverse_depths: list[np.ndarray]
    chosen: np.ndarray
    pixel: np.ndarray


def surface_views(
    views: Sequence[GrayView],
    vertices: np.ndarray,
    normals: np.ndarray,
    faces: np.ndarray,
    count: int,
    progress: Progress,
) -> SurfaceViews:
    """Render the mesh (vertices and normals [V, 3], faces [F, 3]) in all photos and choose `count` for each vertex."""
    depths, shown = [], np.zeros((len(views), (len(vertices) + 7) // 8), np.uint8)
    across = cross_products(Mesh(vertices, faces))
    height = np.einsum("ij,ij->i", across, vertices[faces[:, 0]])
    for number, view in enumerate(views):
        progress.check()
        scale = min(1.0, MAP_PIXELS / max(view.width, view.height))
        intrinsics, columns, rows = view.scaled(scale)
        points = view.to_camera(vertices)
        facing = across @ view.center > height  # back faces, half of all, are hidden behind these
        _, inverse = draw(points, faces[facing], intrinsics, columns, rows)
        depths.append(inverse)
        shown[number] = np.packbits(_shown(points, intrinsics, inverse))
    chosen, pixel = _chosen(views, vertices, normals, shown, count)
    return SurfaceViews(depths, chosen, pixel)


def _shown(points: np.ndarray, intrinsics: np.ndarray, inverse_depth: np.ndarray) -> np.ndarray:
    """bool [V]: which points in the camera's frame are in the picture, away from its edge, and not hidden."""
    height, width = inverse_depth.shape
    ahead = points[:, 2] > 0
    depth = np.where(ahead, points[:, 2], 1)
    x, y = ((points @ intrinsics[row]) / depth for row in (0, 1))
    inside = ahead & (x > FRAME) & (x < width - FRAME) & (y > FRAME) & (y < height - FRAME)
    column, row = (np.where(inside, value, 0).astype(np.int64) for value in (x, y))
    # The farthest surface nearby: a vertex is not hidden by an adjacent face.
    farthest = cv2.erode(inverse_depth, np.ones((3, 3)))
    return inside & (1 / depth > farthest[row, column] * (1 - BEHIND))


def _chosen(
    views: Sequence[GrayView], vertices: np.ndarray, normals: np.ndarray, shown: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    centers = np.stack([view.center for view in views]).astype(np.float32)
    focal = np.sqrt([view.intrinsics[0, 0] * view.intrinsics[1, 1] for view in views]).astype(np.float32)
    chosen = np.full((len(vertices), count), -1, np.int16)
    pixel = np.zeros(len(vertices), np.float32)
    for start in range(0, len(vertices), BLOCK):  # a multiple of the 8 vertices of a byte
        part = slice(start, min(len(vertices), start + BLOCK))
        bits = np.unpackbits(shown[:, start // 8 : (part.stop + 7) // 8], axis=1)[:, : part.stop - start]
        way = centers[:, None] - vertices[None, part].astype(np.float32)
        distance = np.linalg.norm(way, axis=2)
        way /= np.maximum(distance, 1e-30)[..., None]
        cosine = np.einsum("nvc,vc->nv", way, normals[part].astype(np.float32))
        density = focal[:, None] / np.maximum(distance, 1e-30)
        usable = (bits > 0) & (cosine > MIN_COSINE)
        finest = np.where(usable, density, 0).max(axis=0)
        pixel[part] = np.where(finest > 0, 1 / np.where(finest > 0, finest, 1), 0)
        chosen[part] = _spread_out(np.where(usable, cosine * density, 0), way, count)
    seen = pixel > 0
    pixel[~seen] = np.median(pixel[seen]) if seen.any() else 1.0
    return chosen, pixel


def _spread_out(score: np.ndarray, way: np.ndarray, count: int) -> np.ndarray:
    """int16 [V, count]: the photos with the highest scores [N, V], each some degrees away from those before it.

    way [N, V, 3]: unit vectors from the vertices to the cameras.
    """
    chosen = np.full((score.shape[1], count), -1, np.int16)
    columns = np.arange(score.shape[1])
    for place in range(min(count, len(score))):
        best = score.argmax(axis=0)
        chosen[:, place] = np.where(score[best, columns] > 0, best, -1)
        between = np.einsum("nvc,vc->nv", way, way[best, columns])
        angle = np.degrees(np.arccos(np.clip(between, -1, 1)))
        score = score * np.clip(angle / NEAR_ANGLE, 0, 1)
        score[best, columns] = 0
        if place == 0:
            score = score * np.exp(-((np.maximum(angle - FAR_ANGLE, 0) / FAR_SPREAD) ** 2))
    return chosen
