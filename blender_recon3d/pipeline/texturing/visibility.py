"""Which part of the mesh a photo shows, and how reliable its pixels are."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .photo_background import background
from .raster import draw
from .texture_views import TextureView

MAP_PIXELS = 1200  # maximum of the maps' longest side: meshes are not more precise
BEHIND = 0.005  # of depth: points farther behind the visible surface are hidden
JUMP = 0.004  # of inverse depth, second difference over pixels: a larger one is a silhouette, at any slant
RIM = 0.004  # of the map's longest side: distance from a silhouette at which a pixel has full weight
FRAME = 0.03  # of the longest side: the same for the photo's frame
REACH = 1.5  # pixels: the reach of interpolation


@dataclass(frozen=True)
class ViewMaps:
    """A photo's view of the mesh at `scale` of the photo's size: inverse depth and trust, float32 [H, W].

    trust is 0 where the photo shows nothing of the mesh or must not be used, and 1 well inside a surface.
    """

    scale: float
    inverse_depth: np.ndarray
    trust: np.ndarray

    def visible(self, x: np.ndarray, y: np.ndarray, depth: np.ndarray) -> np.ndarray:
        """Trust at the photo's pixels (x, y) [N] for points at this depth, float32 [N]; 0 where they are hidden."""
        ahead = depth > 0
        across = np.where(ahead, x * self.scale - 0.5, -9).astype(np.float32)
        down = np.where(ahead, y * self.scale - 0.5, -9).astype(np.float32)
        seen = sample(self.inverse_depth, across, down)
        trust = sample(self.trust, across, down)
        with np.errstate(divide="ignore"):
            return np.where(ahead & (1 / depth > seen * (1 - BEHIND)), trust, 0).astype(np.float32)


def view_maps(
    view: TextureView, photo: np.ndarray, vertices: np.ndarray, faces: np.ndarray, border: np.ndarray
) -> ViewMaps:
    """Render the mesh (vertices [V, 3], faces [F, 3], model's frame) as seen by the photo [height, width, 3].

    border: the indices of vertices where the mesh is open (see `open_vertices`).
    """
    scale = min(1.0, MAP_PIXELS / max(view.width, view.height))
    intrinsics, width, height = view.scaled(scale)
    _, inverse_depth = draw(view.to_camera(vertices), faces, intrinsics, width, height)
    small = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)
    ends = _drawn(view.to_camera(vertices[border]), intrinsics, width, height)
    trust = _trust(inverse_depth, background(small, inverse_depth > 0, ends))
    mask = view.read_mask()
    if mask is not None:
        usable = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
        inside = cv2.distanceTransform((usable > 0.999).astype(np.uint8), cv2.DIST_L2, 5)
        trust *= np.clip((inside - REACH) / (RIM * max(width, height)), 0, 1)
    return ViewMaps(width / view.width, inverse_depth, trust)


def _drawn(points: np.ndarray, intrinsics: np.ndarray, width: int, height: int) -> np.ndarray:
    """bool [H, W]: where points [N, 3] in the camera's frame are in the picture, hidden or not."""
    pixels = points[points[:, 2] > 1e-9] @ intrinsics.T
    column, row = np.floor(pixels[:, :2] / pixels[:, 2:]).T
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    image = np.zeros((height, width), bool)
    image[row[inside].astype(np.int64), column[inside].astype(np.int64)] = True
    return image


def _trust(inverse_depth: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """behind bool [H, W]: where the photo does not show the mesh rendered there."""
    longest = max(inverse_depth.shape)
    off = _silhouette_distance(inverse_depth)
    if behind.any():
        off = np.minimum(off, cv2.distanceTransform((~behind).astype(np.uint8), cv2.DIST_L2, 5))
    trust = np.clip((off - REACH) / (RIM * longest), 0, 1)
    inside = cv2.distanceTransform(np.pad(np.ones(inverse_depth.shape, np.uint8), 1), cv2.DIST_C, 3)[
        1:-1, 1:-1
    ]
    trust *= np.clip(inside / (FRAME * longest), 0, 1)
    trust[inverse_depth == 0] = 0
    return trust.astype(np.float32)


def _silhouette_distance(inverse_depth: np.ndarray) -> np.ndarray:
    """Distance in pixels to the nearest silhouette.

    Inverse depth is linear in pixels on a plane, however steep: where its second difference is large, one surface ends
    in front of another.
    """
    padded = np.pad(inverse_depth, 1, mode="edge")
    middle = padded[1:-1, 1:-1]
    across = np.abs(padded[1:-1, :-2] + padded[1:-1, 2:] - 2 * middle)
    down = np.abs(padded[:-2, 1:-1] + padded[2:, 1:-1] - 2 * middle)
    edge = np.maximum(across, down) > JUMP * middle
    return cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 5)


def sample(
    image: np.ndarray, across: np.ndarray, down: np.ndarray, how: int = cv2.INTER_LINEAR
) -> np.ndarray:
    """Image [H, W] or [H, W, C] at N positions (first center at 0): [N] or [N, C]; 0 outside.

    OpenCV's maps are limited to 32,767 per side, so the positions are folded into a rectangle.
    """
    count = len(across)
    side = 1024
    rows = -(-count // side)
    maps = [
        np.pad(part.astype(np.float32, copy=False), (0, rows * side - count), constant_values=-9).reshape(
            rows, side
        )
        for part in (across, down)
    ]
    channels = image.shape[2:]
    result = np.empty((rows, side, *channels), image.dtype)
    for first in range(0, rows, 16384):
        part = slice(first, first + 16384)
        result[part] = cv2.remap(
            image, maps[0][part], maps[1][part], how, borderMode=cv2.BORDER_CONSTANT, borderValue=0
        )
    return result.reshape(rows * side, *channels)[:count]
