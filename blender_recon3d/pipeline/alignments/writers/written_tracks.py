"""The observations of each point, as the text formats list them."""

from __future__ import annotations

import numpy as np

from ..camera_alignment import Alignment


def tracks_of(alignment: Alignment) -> list[list[tuple[int, int, float, float]]]:
    """photo, keypoint, x, y of each observation, point by point; keypoints are counted in each photo."""
    tracks: list[list[tuple[int, int, float, float]]] = [[] for _ in alignment.xyz]
    counted = np.zeros(len(alignment.photos), np.int64)
    for point, photo, (x, y) in zip(alignment.point, alignment.photo, alignment.pixel, strict=True):
        tracks[point].append((int(photo), int(counted[photo]), float(x), float(y)))
        counted[photo] += 1
    return tracks
