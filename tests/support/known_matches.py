"""Photos whose keypoints are known points in space, in a database and as files of features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.colmap.database import open_database, write_features, write_pairs
from blender_recon3d.pipeline.models.feature_files import feature_path, save_features
from blender_recon3d.pipeline.models.frontend import Features
from blender_recon3d.pipeline.workspace import Workspace

SIZE = (640, 480)
FOCAL = 600.0


@dataclass
class NearestNeighbors:
    """Matches keypoints whose descriptors are each other's nearest and nearly the same. seen: how many keypoints each
    photo of each matched pair had."""

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    seen: list[tuple[int, int]] = field(default_factory=list)

    def encode(self, features: Features) -> Features:
        return features

    def match(self, pairs):
        self.seen += [(len(first.scores), len(second.scores)) for first, second in pairs]
        return [self._match(first.descriptors, second.descriptors) for first, second in pairs]

    def _match(self, first: np.ndarray, second: np.ndarray):
        similar = first @ second.T
        there, back = similar.argmax(axis=1), similar.argmax(axis=0)
        own = np.arange(len(first))
        chosen = (back[there] == own) & (similar[own, there] > 0.9)
        return np.stack([own[chosen], there[chosen]], axis=1).astype(np.uint32), similar[own, there][chosen]


def known_workspace(
    workspace: Workspace, seen: Mapping[str, np.ndarray], noise: float = 0.3, sift: bool = False
) -> Workspace:
    """A workspace as the stages before the matches leave it, every pair listed.

    seen: numbers of the points that each photo shows, the strongest keypoint first; numbers of 10,000 and more are
    this photo's alone. sift: the keypoints and their descriptors are written as SIFT's.
    """
    random = np.random.default_rng(0)
    points = np.add(random.uniform(-1, 1, (10_000, 3)), [0, 0, 5])
    unit = random.normal(size=(10_000, 128))
    workspace.features.mkdir(parents=True)
    with open_database(workspace.database) as database:
        camera = pycolmap.Camera.create_from_model_name(0, "SIMPLE_RADIAL", FOCAL, *SIZE)
        camera_id = database.write_camera(camera)
        for number, (name, numbers) in enumerate(seen.items()):
            alone = numbers >= len(points)
            shown = np.where(alone, 0, numbers)
            at = points[shown] - [0.3 * number, 0, 0.05 * number]
            at[alone] = np.add(random.uniform(-1, 1, (int(alone.sum()), 3)), [0, 0, 5])
            vectors = unit[shown]
            vectors[alone] = random.normal(size=(int(alone.sum()), 128))
            xy = (
                FOCAL * at[:, :2] / at[:, 2:]
                + [SIZE[0] / 2, SIZE[1] / 2]
                + random.normal(0, noise, (len(at), 2))
            )
            features = Features(
                xy.astype(np.float32),
                np.linspace(1, 0, len(at), dtype=np.float32),
                (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32),
                SIZE,
            )
            save_features(feature_path(workspace, name), features)
            image_id = database.write_image(pycolmap.Image(name=name, camera_id=camera_id))
            if sift:
                shape = np.tile([1.0, 0.0, 0.0, 1.0], (len(at), 1))
                database.write_keypoints(image_id, np.hstack([features.keypoints, shape]).astype(np.float32))
                content = (512 * np.abs(features.descriptors)).clip(0, 255).astype(np.uint8)
                kind = pycolmap.FeatureExtractorType.SIFT
                database.write_descriptors(image_id, pycolmap.FeatureDescriptors(kind, content))
            else:
                write_features(database, image_id, features.keypoints, features.descriptors)
    names = list(seen)
    write_pairs(workspace.pairs, [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]])
    return workspace
