"""The texels' colors: a weighted sum over the photos, one by one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from ..events import Progress
from ..system.cpu import cores
from .photo_background import open_vertices
from .texels import Texels
from .texture_views import TextureView
from .visibility import ViewMaps, sample, view_maps

IGNORED = 0.01  # smaller weights of a face are skipped
CHUNK = 500_000  # texels per thread at a time: 150 bytes each
MAX_THREADS = 8
FINER = 1.2  # pixels across a texel: beyond this the photo is reduced


@dataclass(frozen=True)
class _Sums:
    """The sums so far: weighted colors [T, 3], weights [T] and the trust in the best pixel [T] of each texel."""

    color: np.ndarray
    weight: np.ndarray
    trust: np.ndarray


def blend(
    views: list[TextureView],
    vertices: np.ndarray,
    faces: np.ndarray,
    texels: Texels,
    weights: np.ndarray,
    gains: np.ndarray,
    progress: Progress,
    deep: bool = False,
    tile: int = 0,
    tiles: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Colors of the texels, float32 [T, 3] in 0..255, and the trust in the best photo's pixel, float32 [T]; 0 if not
    visible in any photo.

    weights [V, N] of the photos at the vertices, gains [N, 3]. deep: from originals of more than 8 bits. tile, tiles:
    which of the texture's tiles the texels are of, for the progress. One photo is in memory at a time, and 20 bytes per
    texel.
    """
    count = len(texels)
    sums = _Sums(np.zeros((count, 3), np.float32), np.zeros(count, np.float32), np.zeros(count, np.float32))
    border = open_vertices(faces)
    here = np.flatnonzero(np.diff(texels.start))
    with ThreadPoolExecutor(min(cores(), MAX_THREADS)) as pool:
        for number, view in enumerate(views):
            done = (tile * len(views) + number) // tiles
            progress.update(len(views) + done, 2 * len(views), "painting")
            corner_weights = weights[:, number][faces]
            chosen = here[corner_weights[here].max(axis=1) > IGNORED]
            if not len(chosen):
                continue
            there = view.to_camera(vertices)
            photo = view.read()
            maps = view_maps(view, photo, vertices, faces, border)
            if deep:
                photo = view.read_deep()
            photo = _no_finer_than_texels(view, photo, there, faces[chosen], texels.corners[chosen])
            painter = _Painter(view, maps, photo, gains[number], there, faces, corner_weights, texels, sums)
            list(pool.map(painter.add, _in_chunks(chosen, texels)))
    weight = sums.weight[:, None]
    np.divide(sums.color, weight, out=sums.color, where=weight > 0)
    return sums.color, sums.trust


def _in_chunks(faces: np.ndarray, texels: Texels) -> list[np.ndarray]:
    """Faces in chunks of about CHUNK texels."""
    ends = np.cumsum(texels.start[faces + 1] - texels.start[faces])
    total = int(ends[-1]) if len(ends) else 0
    return np.split(faces, np.searchsorted(ends, np.arange(CHUNK, total, CHUNK)))


@dataclass(frozen=True)
class _Painter:
    """One photo, ready to be added to the sums; threads have disjoint faces, and so disjoint texels.

    there [V, 3]: vertices in the camera's frame; faces [F, 3]; weights [F, 3] of their corners.
    """

    view: TextureView
    maps: ViewMaps
    photo: np.ndarray
    gain: np.ndarray
    there: np.ndarray
    faces: np.ndarray
    weights: np.ndarray
    texels: Texels
    sums: _Sums

    def add(self, part: np.ndarray) -> None:
        """Add the texels of some faces, given by their indices."""
        own, which = self.texels.of_faces(part)
        corners = np.concatenate([self.there[self.faces[part]], self.weights[part][..., None]], axis=2)
        values = self.texels.interpolate(corners, part, own, which)
        matrix, depth = self.view.intrinsics, values[:, 2]
        x = matrix[0, 0] * values[:, 0] / depth + matrix[0, 2]
        y = matrix[1, 1] * values[:, 1] / depth + matrix[1, 2]
        trust = self.maps.visible(x, y, depth)
        some = (trust > 0) & (values[:, 3] > 0)
        own, trust = own[some], trust[some]
        share = values[some, 3] * trust
        across = x[some] * (self.photo.shape[1] / self.view.width) - 0.5
        down = y[some] * (self.photo.shape[0] / self.view.height) - 0.5
        color = sample(self.photo, across, down, cv2.INTER_CUBIC)
        self.sums.color[own] += share[:, None] * (color * self.gain)
        self.sums.weight[own] += share
        self.sums.trust[own] = np.maximum(self.sums.trust[own], trust)


def _no_finer_than_texels(
    view: TextureView, photo: np.ndarray, there: np.ndarray, faces: np.ndarray, corners: np.ndarray
) -> np.ndarray:
    """The photo, reduced if a texel covers several of its pixels: a texel should show their mean.

    there [V, 3]: vertices in the camera's frame; corners [F, 3, 2]: of the faces [F, 3] in texels.
    """
    depth = there[:, 2].clip(1e-9)
    pixels = there[:, :2] / depth[:, None] * [view.intrinsics[0, 0], view.intrinsics[1, 1]]
    ratio = np.sqrt(_areas(pixels[faces]) / _areas(corners).clip(1e-9))
    finer = float(np.median(ratio)) if len(ratio) else 1.0
    if finer <= FINER:
        return photo
    _, width, height = view.scaled(1 / finer)
    return cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)


def _areas(corners: np.ndarray) -> np.ndarray:
    """Areas of triangles [F, 3, 2]."""
    one, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return 0.5 * np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0])
