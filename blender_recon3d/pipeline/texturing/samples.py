"""The color of every vertex in every photo: enough to compare photos without holding any in memory."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..events import Progress
from .photo_background import open_vertices
from .texture_views import TextureView
from .visibility import ViewMaps, sample, view_maps

GRAZING = 0.15  # minimum cosine between a surface's normal and the direction to the camera: 81 degrees
MIN_RESOLUTION, MAX_RESOLUTION = (
    1e-4,
    1e4,
)  # relative to the median resolution by area: well within float16, and wider than photos differ


@dataclass
class Samples:
    """For V vertices and N photos; 0 where not visible.

    faced [V, N] float16: cosine to the normal times pixels per unit of area, relative to the median, if the vertex is
    in the picture and faces the camera, whether hidden or not.
    trust [V, N] float16: of its pixel (see ViewMaps); 0 when hidden.
    color [V, N, 3] uint8: RGB of the reduced photo. detail [V, N] float16: how much the photo changes there from pixel
    to pixel.
    """

    faced: np.ndarray
    trust: np.ndarray
    color: np.ndarray
    detail: np.ndarray


def sample_views(
    views: list[TextureView], vertices: np.ndarray, normals: np.ndarray, faces: np.ndarray, progress: Progress
) -> Samples:
    """Sample each photo once. Memory: 9 bytes per vertex and photo, and one photo."""
    shape = (len(vertices), len(views))
    samples = Samples(
        np.zeros(shape, np.float16), np.zeros(shape, np.float16), np.zeros((*shape, 3), np.uint8),
        np.zeros(shape, np.float16),
    )  # fmt: skip
    usual = float(np.median([_usual_density(view, vertices) for view in views]))
    border = open_vertices(faces)
    for number, view in enumerate(views):
        progress.update(number, 2 * len(views), "reading photos")
        photo = view.read()
        maps = view_maps(view, photo, vertices, faces, border)
        _sample(view, photo, maps, vertices, normals, usual, number, samples)
    return samples


def _usual_density(view: TextureView, vertices: np.ndarray) -> float:
    """Pixels per unit of area facing the camera, at the median depth."""
    depth = view.to_camera(vertices)[:, 2]
    return float(_density(view, np.median(depth[depth > 0]))) if (depth > 0).any() else 1.0


def _density(view: TextureView, depth: np.ndarray) -> np.ndarray:
    return view.intrinsics[0, 0] * view.intrinsics[1, 1] / depth**2


def _sample(
    view: TextureView,
    photo: np.ndarray,
    maps: ViewMaps,
    vertices: np.ndarray,
    normals: np.ndarray,
    usual: float,
    number: int,
    samples: Samples,
) -> None:
    way = view.center - vertices
    cosine = (way * normals).sum(1) / np.maximum(np.linalg.norm(way, axis=1), 1e-30)
    there = view.to_camera(vertices)
    facing = np.flatnonzero((cosine > GRAZING) & (there[:, 2] > 1e-9))
    pixels = there[facing] @ view.intrinsics.T
    x, y = pixels[:, 0] / pixels[:, 2], pixels[:, 1] / pixels[:, 2]
    inside = (x > 0) & (x < view.width) & (y > 0) & (y < view.height)
    facing, x, y = facing[inside], x[inside], y[inside]
    faced = cosine[facing] * _density(view, there[facing, 2]) / usual
    samples.faced[facing, number] = np.clip(faced, MIN_RESOLUTION, MAX_RESOLUTION)
    trust = maps.visible(x, y, there[facing, 2])
    seen = trust > 0
    facing, x, y, trust = facing[seen], x[seen], y[seen], trust[seen]
    height, width = maps.trust.shape
    detail = cv2.resize(_detail(photo), (width, height), interpolation=cv2.INTER_AREA)
    small = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)
    across, down = ((value * maps.scale - 0.5).astype(np.float32) for value in (x, y))
    samples.trust[facing, number] = trust
    samples.color[facing, number] = sample(small, across, down)
    samples.detail[facing, number] = sample(detail, across, down)


def _detail(photo: np.ndarray) -> np.ndarray:
    """The difference of neighboring pixels beyond a gradient, float32 [H, W]."""
    gray = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    return np.abs(cv2.Laplacian(gray, cv2.CV_32F, ksize=1))
