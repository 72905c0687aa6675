"""Fills areas not visible in any photo, and the gaps between charts."""

from __future__ import annotations

import cv2
import numpy as np
from scipy import sparse

from .choice import neighborhood
from .delight import without_light
from .samples import Samples
from .texels import Texels

# Trust in the best photo's pixel above which its color is used unchanged. Below, all photos see only the rim of a
# surface, where the background shows through: the colors of the surrounding surface take over.
SURE = 0.1
ROUNDS = 2000  # maximum number of vertices over which color spreads
SLIGHT = 1e-6  # weights below this count as none
CHUNK = 20_000  # vertices
SOFTER = 20  # rounds of smoothing where colors were spread


def vertex_colors(
    samples: Samples, weights: np.ndarray, gains: np.ndarray, faces: np.ndarray, colors: np.ndarray
) -> np.ndarray:
    """Colors of the vertices, float32 [V, 3] in 0..255.

    Vertices that no photo shows well take the colors around them; a part of the mesh that no photo shows well anywhere
    gets the best available, or its original colors, `colors` [V, 3].

    """
    color = colors.astype(np.float32)
    total = np.zeros(len(color), np.float32)
    for first in range(0, len(color), CHUNK):
        part = slice(first, first + CHUNK)
        share = weights[part] * samples.trust[part].astype(np.float32)
        total[part] = share.sum(axis=1)
        mixed = np.einsum(
            "vn,vnc,nc->vc", share, samples.color[part].astype(np.float32), gains, optimize=True
        )
        np.divide(mixed, total[part, None], out=color[part], where=total[part, None] > SLIGHT)
    sure = samples.trust.max(axis=1, initial=0) >= SURE
    return _spread(color, sure, neighborhood(faces, len(color)))


def _spread(color: np.ndarray, known: np.ndarray, ring: sparse.csr_matrix) -> np.ndarray:
    """Colors [V, 3] where known, spread step by step to unknown neighbors as means."""
    known, late = known.copy(), []
    for _ in range(ROUNDS):
        rows = ring[~known]
        count = rows @ known.astype(np.float32)
        reached = count > 0
        if not reached.any():
            break
        new = np.flatnonzero(~known)[reached]
        color[new] = (rows[reached] @ (color * known[:, None])) / count[reached, None]
        known[new] = True
        late.append(new)
    if late:
        filled = np.concatenate(late)
        rows = ring[filled]
        for _ in range(SOFTER):
            color[filled] = rows @ color
    return color


def picture(
    texels: Texels,
    color: np.ndarray,
    trust: np.ndarray,
    behind: np.ndarray,
    faces: np.ndarray,
    kind: type[np.uint8] | type[np.float32] = np.uint8,
    light: np.ndarray | None = None,
    strength: float = 0.0,
) -> np.ndarray:
    """One tile of the texture, RGB [size, size, 3] in 0..255: texels' colors [T, 3], and where the trust in them [T] is
    too low, those of the vertices, `behind` [V, 3]. light [V, 3] at the vertices is taken out (see `without_light`).

    Everything outside the charts takes the nearest texel's color, so that reduced copies of the texture mix in nothing
    else.
    """
    image = np.zeros((texels.size, texels.size, 3), kind)
    empty = np.ones((texels.size, texels.size), np.uint8)
    every = np.arange(len(faces))
    for part in np.split(every, np.arange(20_000, len(every), 20_000)):
        own, which = texels.of_faces(part)
        if not len(own):
            continue
        under = texels.interpolate(behind[faces[part]].astype(np.float64), part, own, which)
        share = np.minimum(trust[own] / SURE, 1)[:, None]
        mixed = color[own] * share + under * (1 - share)
        if light is not None:
            falls = texels.interpolate(light[faces[part]].astype(np.float64), part, own, which)
            mixed = without_light(mixed, falls, strength)
        image[texels.row[own], texels.column[own]] = (
            np.clip(np.rint(mixed), 0, 255) if kind is np.uint8 else np.maximum(mixed, 0)
        )
        empty[texels.row[own], texels.column[own]] = 0
    return spread_outwards(image, empty)


def filled(texels: Texels, trust: np.ndarray) -> np.ndarray:
    """Where `picture` fills in most of a color, uint8 [size, size]: 255 there, and 0 elsewhere."""
    image = np.zeros((texels.size, texels.size), np.uint8)
    image[texels.row, texels.column] = np.where(trust < SURE / 2, 255, 0)
    return image


def spread_outwards(image: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """The image [H, W] or [H, W, 3], with the nearest other pixel's color where `empty` [H, W] is 1."""
    if empty.all() or not empty.any():
        return image
    _, nearest = cv2.distanceTransformWithLabels(empty, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    rows, columns = np.nonzero(empty == 0)
    place = np.zeros(len(rows) + 1, np.int64)
    place[nearest[rows, columns]] = rows * image.shape[1] + columns
    gaps = empty == 1
    image[gaps] = image.reshape(-1, *image.shape[2:])[place[nearest[gaps]]]
    return image
