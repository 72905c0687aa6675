"""A first look at a pair of photos: whether a few of their strongest keypoints agree on a geometry.

The cost of matching grows with the square of the number of keypoints, and many pairs have nothing in common. A quarter
of the keypoints decides for a twelfth of the time; a pair that fails is matched with all of them only if the photos
need it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..colmap.calls import pycolmap
from ..colmap.database import image_ids, open_database, pair_counts
from ..matching.turned_photos import turned_back
from ..workspace import Workspace
from .encoded_photos import MAX_CACHED_PHOTOS, EncodedPhotos, MatchingNetwork
from .feature_files import feature_path, load_features
from .network import Names

MIN_LINKS = 3  # verified pairs; with so many a photo needs no second look
MAX_AGAIN = 10  # pairs per photo that get a second look
MIN_MATCHES = 8  # for estimating a geometry
MIN_GAIN = 2  # a photo must have this many times the keypoints of a first look for it to save time


class FirstLook:
    """keypoints: the number of the strongest of each photo that are matched; inliers: minimum of agreeing matches;
    verification: COLMAP's TwoViewGeometryOptions, whose RANSAC options are used."""

    def __init__(
        self, network: MatchingNetwork, workspace: Workspace, keypoints: int, inliers: int, verification: Any
    ) -> None:
        self._photos = EncodedPhotos(network, workspace, keypoints)
        self._workspace = workspace
        self._keypoints = keypoints
        self._inliers = inliers
        self._options = pycolmap.TwoViewGeometryOptions()
        self._options.min_num_inliers = MIN_MATCHES
        self._options.ransac.max_error = verification.ransac.max_error
        self._options.ransac.random_seed = verification.ransac.random_seed
        with open_database(workspace.database) as database:
            self._cameras = {
                image.name: database.read_camera(image.camera_id) for image in database.read_all_images()
            }
        self._places = lru_cache(maxsize=MAX_CACHED_PHOTOS)(self._read_places)
        self.agreeing: dict[Names, int] = {}  # number of agreeing matches of the examined pairs

    def promising(self, pairs: Sequence[Names]) -> list[Names]:
        """The pairs worth matching with all keypoints, in order."""
        examined = [pair for pair in pairs if all(self._has_many(name) for name in pair)]
        matches_of = self._photos.match(examined)
        self.agreeing |= {pair: self._agreeing(pair, matches) for pair, matches in matches_of.items()}
        return [pair for pair in pairs if pair not in matches_of or self.agreeing[pair] >= self._inliers]

    def _has_many(self, name: str) -> bool:
        return self._places(name)[1] >= MIN_GAIN * self._keypoints

    def _agreeing(self, pair: Names, matches: np.ndarray) -> int:
        if len(matches) < MIN_MATCHES:
            return len(matches)
        (first, _), (second, _) = (self._places(name) for name in pair)
        geometry = pycolmap.estimate_two_view_geometry(
            self._cameras[pair[0]], first, self._cameras[pair[1]], second, matches, self._options
        )
        return len(geometry.inlier_matches)

    def _read_places(self, name: str) -> tuple[np.ndarray, int]:
        """Positions of the strongest keypoints in the photo itself, float64 [N, 2], and the total number of
        keypoints."""
        features = load_features(feature_path(self._workspace, name))
        places = turned_back(features.keypoints[: self._keypoints], features.image_size, features.turns)
        return places.astype(np.float64), len(features.scores)


def needed(workspace: Workspace, failed: Mapping[Names, int]) -> list[Names]:
    """The pairs that failed the first look but are matched with all keypoints nonetheless: they connect photos that are
    not connected so far, or one of their photos has few verified pairs.

    failed: number of agreeing matches; pairs with more come first, and no photo has more than MAX_AGAIN unless the
    other photo needs it.
    """
    with open_database(workspace.database) as database:
        ids = image_ids(database)
        verified = [pair for pair, (_, inliers) in pair_counts(database).items() if inliers]
    group = {image: image for image in ids.values()}
    links = dict.fromkeys(ids.values(), 0)

    def root(image: int) -> int:
        while group[image] != image:
            image = group[image]
        return image

    for first, second in verified:
        links[first] += 1
        links[second] += 1
        group[root(first)] = root(second)
    chosen, again = [], dict.fromkeys(ids, 0)
    for a, b in sorted(failed, key=lambda pair: (-failed[pair], pair)):
        apart = root(ids[a]) != root(ids[b])
        few = min(links[ids[a]], links[ids[b]]) < MIN_LINKS
        if (apart or few) and min(again[a], again[b]) < MAX_AGAIN:
            chosen.append((a, b))
            again[a] += 1
            again[b] += 1
    return chosen
