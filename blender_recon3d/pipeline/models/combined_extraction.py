"""SIFT's keypoints and a network's in one database: SIFT's first, with their descriptors, then the network's.

COLMAP's SIFT matcher uses the keypoints that have descriptors in the database; the network's are in features/.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..colmap.database import image_ids, open_database
from ..colmap.sift import SiftExtractor
from ..events import PartProgress
from ..workspace import Workspace
from .feature_files import feature_path, load_features
from .network import ExtractionJob
from .network_extraction import NetworkExtractor, places

ROUND = (1.0, 0.0, 0.0, 1.0)  # the shape of a keypoint without scale and direction


class CombinedExtractor:
    def __init__(self, sift: SiftExtractor, network: NetworkExtractor) -> None:
        self.sift = sift
        self.network = network

    def remove_torn(self, job: ExtractionJob) -> bool:
        return self.network.remove_torn(job)

    def prepare(self, job: ExtractionJob) -> None:
        self.network.prepare(job)

    def done(self, job: ExtractionJob) -> set[str]:
        return self.network.done(job) & self.sift.done(job)

    def extract_some(self, job: ExtractionJob, into: Workspace) -> None:
        self.network.extract_some(job, into)
        self.sift.extract_some(job, into)

    def extract(self, job: ExtractionJob) -> None:
        """The network first: the database is rebuilt if one of its files is missing."""
        photos = len(job.names)
        first, second = (PartProgress(job.progress, start, 2 * photos) for start in (0, photos))
        for _ in self.network.find(replace(job, progress=first)):
            pass
        self.sift.extract(replace(job, progress=second))
        with open_database(job.workspace.database) as database:
            for name, image in image_ids(database).items():
                if database.num_keypoints_for_image(image) == sift_keypoints(database, image):
                    features = load_features(feature_path(job.workspace, name))
                    append_keypoints(database, image, places(features))


def sift_keypoints(database: Any, image: int) -> int:
    """The number of a photo's SIFT keypoints."""
    return int(database.num_descriptors_for_image(image))


def append_keypoints(database: Any, image: int, xy: np.ndarray) -> None:
    """xy: [N, 2] in COLMAP's pixels."""
    existing = np.asarray(database.read_keypoints(image)).reshape(-1, 2 + len(ROUND))
    new = np.concatenate([xy, np.tile(ROUND, (len(xy), 1))], axis=1)
    database.update_keypoints(image, np.concatenate([existing, new]).astype(np.float32))
