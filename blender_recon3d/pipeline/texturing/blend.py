"""The texels' colours: photos, one after the other, added up with their weights."""

from __future__ import annotations

import cv2
import numpy as np

from ..events import Progress
from .texels import Texels
from .unwrap import Unwrapped
from .views import TextureView
from .visibility import sample, view_maps

IGNORED = 0.01  # weights of a face below this are not worth looking
CHUNK = 1_000_000  # texels
FINER = 1.2  # pixels across a texel: from here on the photo is made smaller


def blend(
    views: list[TextureView],
    vertices: np.ndarray,
    faces: np.ndarray,
    unwrapped: Unwrapped,
    texels: Texels,
    weights: np.ndarray,
    gains: np.ndarray,
    progress: Progress,
) -> tuple[np.ndarray, np.ndarray]:
    """Colours of the texels, float32 [T, 3] in 0..255, and the trust in the best photo's pixel, float32 [T]; 0 where
    no photo shows them."""
    total, weight = np.zeros((len(texels), 3), np.float32), np.zeros(len(texels), np.float32)
    best = np.zeros(len(texels), np.float32)
    for number, view in enumerate(views):
        progress.update(len(views) + number, 2 * len(views), "painting")
        corner_weights = weights[:, number][faces]
        chosen = np.flatnonzero(corner_weights.max(axis=1) > IGNORED)
        maps = view_maps(view, vertices, faces)
        there = view.to_camera(vertices)
        photo = _no_finer_than_texels(view, there, faces[chosen], texels.corners[chosen])
        across, down = photo.shape[1] / view.width, photo.shape[0] / view.height
        counts = np.cumsum(texels.start[chosen + 1] - texels.start[chosen])
        cuts = np.searchsorted(counts, np.arange(CHUNK, counts[-1] if len(counts) else 0, CHUNK))
        for part in np.split(chosen, cuts):
            own, which = texels.of_faces(part)
            values = np.concatenate([there[faces[part]], corner_weights[part][..., None]], axis=2)
            values = texels.interpolate(values, part, own, which)
            x = view.intrinsics[0, 0] * values[:, 0] / values[:, 2] + view.intrinsics[0, 2]
            y = view.intrinsics[1, 1] * values[:, 1] / values[:, 2] + view.intrinsics[1, 2]
            trust = maps.visible(x, y, values[:, 2])
            some = (trust > 0) & (values[:, 3] > 0)
            own, share, trust = own[some], (values[:, 3] * trust)[some], trust[some]
            colour = sample(photo, x[some] * across - 0.5, y[some] * down - 0.5, cv2.INTER_CUBIC)
            total[own] += share[:, None] * (colour * gains[number])
            weight[own] += share
            best[own] = np.maximum(best[own], trust)
    np.divide(total, weight[:, None], out=total, where=weight[:, None] > 0)
    return total, best


def _no_finer_than_texels(
    view: TextureView, there: np.ndarray, faces: np.ndarray, corners: np.ndarray
) -> np.ndarray:
    """The photo, made smaller where a texel covers several of its pixels: a texel should show their mean.

    there [V, 3]: vertices in the camera's frame; corners [F, 3, 2]: of the faces [F, 3] in texels.
    """
    photo = view.read()
    depth = there[:, 2].clip(1e-9)
    pixels = there[:, :2] / depth[:, None] * [view.intrinsics[0, 0], view.intrinsics[1, 1]]
    ratio = np.sqrt(_areas(pixels[faces]) / _areas(corners).clip(1e-9))
    finer = float(np.median(ratio)) if len(ratio) else 1.0
    if finer <= FINER:
        return photo
    _, width, height = view.scaled(1 / finer)
    return cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)


def _areas(corners: np.ndarray) -> np.ndarray:
    """Of triangles [F, 3, 2]."""
    one, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return 0.5 * np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0])
