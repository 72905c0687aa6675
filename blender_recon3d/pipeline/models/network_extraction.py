"""What every network that finds keypoints is used by: features/NAME.npz and the database, some photos at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch

from ..colmap.database import image_ids, open_database, write_features
from ..errors import UserError
from ..files.whole_files import remove
from .arithmetic import slow_remark
from .feature_files import feature_path, load_features, save_features
from .frontend import Features
from .network import ExtractionJob
from .parallel import ahead

BATCH = 4  # photos given to the network at once; two such batches are what a kill can cost


class FeatureNetwork(Protocol):
    """`frontend.FeatureExtractor` is one."""

    device: torch.device

    def extract(
        self, images: Sequence[np.ndarray], masks: Sequence[np.ndarray | None] | None = None
    ) -> list[Features]:
        """Features of grey photos, uint8 [H, W] each; none where a mask of the photo's proportions is 0."""


class NetworkExtractor:
    """precision: the setting, for a remark where it is slow here."""

    def __init__(self, network: FeatureNetwork, precision: str = "auto") -> None:
        self.network = network
        self.precision = precision

    def remove_torn(self, job: ExtractionJob) -> bool:
        """Found again they need not be the same to the bit, so that the database's own might belong to others."""
        torn = False
        for name in job.names:
            path = feature_path(job.workspace, name)
            if not path.exists():
                torn = True
                continue
            try:
                load_features(path)
            except UserError:
                job.progress.warning(f"{path.name} is not whole: the features of {name} are found again.")
                torn = True
                remove(path)
        return torn

    def extract(self, job: ExtractionJob) -> None:
        """features/NAME.npz whole, then the database; what is there is passed over.

        While one batch goes through the network, the next is read and the last one is written.
        """
        workspace = job.workspace
        if remark := slow_remark(self.precision, self.network.device):
            job.progress.info(remark)
        batches = [job.names[start : start + BATCH] for start in range(0, len(job.names), BATCH)]

        def read(names: list[str]) -> tuple[list[str], list[str], list[np.ndarray], list[np.ndarray | None]]:
            # A batch whole or not at all: on a GPU a photo's features hang a little on the photos it comes with.
            new = [] if all(feature_path(workspace, name).exists() for name in names) else names
            masks = [workspace.masks / f"{name}.png" for name in new]
            return (
                names,
                new,
                [job.read_gray(workspace.images / name) for name in new],
                [job.read_gray(mask) if mask.exists() else None for mask in masks],
            )

        def find(
            batch: tuple[list[str], list[str], list[np.ndarray], list[np.ndarray | None]],
        ) -> tuple[list[str], dict[str, Features]]:
            names, new, images, masks = batch
            return names, dict(zip(new, self.network.extract(images, masks), strict=True))

        done = 0
        with open_database(workspace.database) as database:
            ids = image_ids(database)
            for names, found in ahead(find, ahead(read, batches)):
                for name, features in found.items():
                    if not feature_path(workspace, name).exists():
                        save_features(feature_path(workspace, name), features)
                for name in names:
                    if not database.exists_descriptors(ids[name]):
                        features = load_features(feature_path(workspace, name))
                        write_features(database, ids[name], features.keypoints, features.descriptors)
                done += len(names)
                job.progress.update(done, len(job.names), "finding features")
