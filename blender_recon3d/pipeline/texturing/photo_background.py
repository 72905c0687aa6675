"""Where a photo shows the background although the mesh is there: at rims that are slightly too wide.

A pixel near the mesh's outline with the colors beside the mesh rather than those farther inside is background, if such
pixels reach the outline without a gap: otherwise sky would be painted onto shoulders and roofs.
"""

from __future__ import annotations

import cv2
import numpy as np

BAND = 0.02  # of the picture's longest side: how far inside the outline background is searched for
BESIDE = 2  # pixels from the outline beyond which colors beside the mesh are pure background
CLEAR = 30.0  # of 255 levels between the two colors: closer ones cannot be distinguished, and do no harm
SEEN = 1e-3  # minimum share of pixels for a local mean


def background(picture: np.ndarray, mesh: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """bool [H, W]: pixels of the mesh that show the background.

    picture uint8 RGB [H, W, 3]; mesh bool [H, W], where it is in the picture; ends bool [H, W], where the mesh has an
    open border: the surface continues beyond, and nothing is behind it.
    """
    band = max(4.0, BAND * max(mesh.shape))
    inside = _distance(mesh)
    near = mesh & (inside <= band) & (_distance(~ends) > 2 * band)
    if not near.any():
        return np.zeros(mesh.shape, bool)
    color = picture.astype(np.float32)
    # The farther inside, the more certain: a part that is thin everywhere relies on its middle.
    own, own_share = _local_mean(color, np.minimum(inside / band, 1) ** 2 * mesh, band)
    other, other_share = _local_mean(color, (_distance(~mesh) > BESIDE).astype(np.float32), band)
    apart = np.linalg.norm(own - other, axis=2) > CLEAR
    closer = np.linalg.norm(color - other, axis=2) < np.linalg.norm(color - own, axis=2)
    alike = near & apart & closer & (own_share > SEEN) & (other_share > SEEN)
    return alike & _joined(alike, ~mesh)


def _joined(alike: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """The pixels that are connected to the outside."""
    count, label = cv2.connectedComponents((alike | outside).astype(np.uint8), connectivity=4)
    reaches = np.zeros(count, bool)
    reaches[np.unique(label[outside])] = True
    return reaches[label]


def _local_mean(color: np.ndarray, weight: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian means of the colors with weights [H, W], and of the weights themselves."""
    weight = weight.astype(np.float32)
    share = cv2.GaussianBlur(weight, (0, 0), sigma)
    mean = cv2.GaussianBlur(color * weight[..., None], (0, 0), sigma)
    return mean / np.maximum(share, 1e-6)[..., None], share


def _distance(mask: np.ndarray) -> np.ndarray:
    """Distance in pixels to the nearest one not in the mask; the picture's frame does not count."""
    if mask.all():
        return np.full(mask.shape, np.inf, np.float32)
    return cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)


def open_vertices(faces: np.ndarray) -> np.ndarray:
    """The indices of vertices on edges of only one triangle, for triangles [F, 3]."""
    edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    _, first, count = np.unique(
        edges[:, 0].astype(np.int64) << 32 | edges[:, 1], return_index=True, return_counts=True
    )
    return np.unique(edges[first[count == 1]])
