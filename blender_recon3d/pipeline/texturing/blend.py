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
    """Colours of the texels, float32 [T, 3] in 0..255, and their weight, float32 [T]; 0 where no photo shows them."""
    total, weight = np.zeros((len(texels), 3), np.float32), np.zeros(len(texels), np.float32)
    for number, view in enumerate(views):
        progress.counted(len(views) + number, 2 * len(views), "painting")
        corner_weights = weights[:, number][faces]
        chosen = np.flatnonzero(corner_weights.max(axis=1) > IGNORED)
        maps = view_maps(view, vertices, faces)
        photo = view.read()
        there = view.to_camera(vertices)
        counts = np.cumsum(texels.start[chosen + 1] - texels.start[chosen])
        cuts = np.searchsorted(counts, np.arange(CHUNK, counts[-1] if len(counts) else 0, CHUNK))
        for part in np.split(chosen, cuts):
            own, which = texels.of_faces(part)
            values = np.concatenate([there[faces[part]], corner_weights[part][..., None]], axis=2)
            values = texels.interpolate(values, part, own, which)
            x = view.intrinsics[0, 0] * values[:, 0] / values[:, 2] + view.intrinsics[0, 2]
            y = view.intrinsics[1, 1] * values[:, 1] / values[:, 2] + view.intrinsics[1, 2]
            share = values[:, 3] * maps.visible(x, y, values[:, 2])
            some = share > 0
            own, share = own[some], share[some]
            colour = sample(photo, x[some] - np.float32(0.5), y[some] - np.float32(0.5), cv2.INTER_CUBIC)
            total[own] += share[:, None] * (colour * gains[number])
            weight[own] += share
    np.divide(total, weight[:, None], out=total, where=weight[:, None] > 0)
    return total, weight
