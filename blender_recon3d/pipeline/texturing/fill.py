"""What no photo shows, and the gaps between the charts."""

from __future__ import annotations

import cv2
import numpy as np

from .choice import neighbourhood
from .samples import Samples
from .texels import Texels

FAINT = 0.003  # weight of the colour that spreads over the mesh: seams to what is unseen are soft
ROUNDS = 2000  # vertices that colour spreads over at most
SOFTER = 20  # rounds of smoothing where it has spread


def vertex_colours(
    samples: Samples, weights: np.ndarray, gains: np.ndarray, faces: np.ndarray, given: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Colours of the vertices, float32 [V, 3] in 0..255, and which of them a photo shows, bool [V].

    What no photo shows takes the colours around it; a part of the mesh that no photo shows at all keeps those
    that it has, `given` [V, 3].
    """
    share = weights * samples.trust.astype(np.float32)
    total = share.sum(axis=1)
    seen = total > 1e-6
    colour = given.astype(np.float32)
    mixed = np.einsum("vn,vnc,nc->vc", share, samples.colour.astype(np.float32), gains, optimize=True)
    colour[seen] = mixed[seen] / total[seen, None]
    return _spread(colour, seen, faces), seen


def _spread(colour: np.ndarray, seen: np.ndarray, faces: np.ndarray) -> np.ndarray:
    ring = neighbourhood(faces, len(colour))
    known, late = seen.copy(), []
    for _ in range(ROUNDS):
        rows = ring[~known]
        count = rows @ known.astype(np.float32)
        reached = count > 0
        if not reached.any():
            break
        new = np.flatnonzero(~known)[reached]
        colour[new] = (rows[reached] @ (colour * known[:, None])) / count[reached, None]
        known[new] = True
        late.append(new)
    if late:
        filled = np.concatenate(late)
        rows = ring[filled]
        for _ in range(SOFTER):
            colour[filled] = rows @ colour
    return colour


def picture(
    texels: Texels, colour: np.ndarray, weight: np.ndarray, behind: np.ndarray, faces: np.ndarray
) -> np.ndarray:
    """The texture, uint8 RGB [size, size, 3]: texels' colours [T, 3] and weights [T] over `behind` [V, 3], that of
    the vertices. Everything outside of the charts takes the nearest texel's colour, so that no smaller copy of the
    texture mixes in anything else."""
    image = np.zeros((texels.size, texels.size, 3), np.uint8)
    empty = np.ones((texels.size, texels.size), np.uint8)
    every = np.arange(len(faces))
    for part in np.split(every, np.arange(20_000, len(every), 20_000)):
        own, which = texels.of_faces(part)
        if not len(own):
            continue
        under = texels.interpolate(behind[faces[part]].astype(np.float64), part, own, which)
        share = (weight[own] / (weight[own] + FAINT))[:, None]
        mixed = colour[own] * share + under * (1 - share)
        image[texels.row[own], texels.column[own]] = np.clip(np.rint(mixed), 0, 255)
        empty[texels.row[own], texels.column[own]] = 0
    return _spread_outwards(image, empty)


def _spread_outwards(image: np.ndarray, empty: np.ndarray) -> np.ndarray:
    if empty.all() or not empty.any():
        return image
    _, nearest = cv2.distanceTransformWithLabels(empty, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    rows, columns = np.nonzero(empty == 0)
    place = np.zeros(len(rows) + 1, np.int64)
    place[nearest[rows, columns]] = rows * image.shape[1] + columns
    gaps = empty == 1
    image[gaps] = image.reshape(-1, 3)[place[nearest[gaps]]]
    return image
