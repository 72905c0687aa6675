"""What every network that finds keypoints is used by: features/NAME.npz and the database, some photos at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from ..colmap.database import image_ids, open_database, write_features
from ..errors import UserError
from ..files.atomic_files import remove
from ..matching.turned_photos import directed, quarter_turns, said, turned_back
from .arithmetic import slow_remark
from .feature_files import feature_path, load_features, save_features
from .frontend import Features
from .network import ExtractionJob
from .parallel import prefetch

BATCH = 4  # photos given to the network at once; two such batches are what a kill can cost


class FeatureNetwork(Protocol):
    """`frontend.FeatureExtractor` is one."""

    device: torch.device

    def extract(
        self, images: Sequence[np.ndarray], masks: Sequence[np.ndarray | None] | None = None
    ) -> list[Features]:
        """Features of gray photos, uint8 [H, W] each; none where a mask of the photo's proportions is 0."""


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
                job.progress.warning(f"{path.name} is incomplete: the features of {name} are computed again.")
                torn = True
                remove(path)
        return torn

    def extract(self, job: ExtractionJob) -> None:
        """features/NAME.npz whole, then the database; what is there is passed over."""
        with open_database(job.workspace.database) as database:
            ids = image_ids(database)
            for names in self.find(job):
                for name in names:
                    if not database.exists_descriptors(ids[name]):
                        features = load_features(feature_path(job.workspace, name))
                        write_features(database, ids[name], places(features), features.descriptors)

    def find(self, job: ExtractionJob) -> Iterator[list[str]]:
        """The photos, some at a time, once their features/NAME.npz is there.

        While one batch goes through the network, the next is read and the last one is written.
        """
        workspace = job.workspace
        if remark := slow_remark(self.precision, self.network.device):
            job.progress.info(remark)
        batches = [job.names[start : start + BATCH] for start in range(0, len(job.names), BATCH)]

        turns = _turns(job)

        def turned(path: Path, name: str) -> np.ndarray:
            return np.ascontiguousarray(np.rot90(job.read_gray(path), turns[name]))

        def read(names: list[str]) -> tuple[list[str], list[str], list[np.ndarray], list[np.ndarray | None]]:
            # A batch whole or not at all: on a GPU a photo's features hang a little on the photos it comes with.
            new = [] if all(feature_path(workspace, name).exists() for name in names) else names
            masks = [workspace.masks / f"{name}.png" for name in new]
            return (
                names,
                new,
                [turned(workspace.images / name, name) for name in new],
                [
                    turned(mask, name) if mask.exists() else None
                    for mask, name in zip(masks, new, strict=True)
                ],
            )

        def find(
            batch: tuple[list[str], list[str], list[np.ndarray], list[np.ndarray | None]],
        ) -> tuple[list[str], dict[str, Features]]:
            names, new, images, masks = batch
            found = dict(zip(new, self.network.extract(images, masks), strict=True))
            return names, {name: replace(features, turns=turns[name]) for name, features in found.items()}

        done = 0
        for names, found in prefetch(find, prefetch(read, batches)):
            for name, features in found.items():
                if not feature_path(workspace, name).exists():
                    save_features(feature_path(workspace, name), features)
            yield names
            done += len(names)
            job.progress.update(done, len(job.names), "finding features")


def places(features: Features) -> np.ndarray:
    """Keypoints [N, 2] in COLMAP's pixels of the photo itself, which may have been turned for the network."""
    return turned_back(features.keypoints, features.image_size, features.turns)


def _turns(job: ExtractionJob) -> dict[str, int]:
    """Quarter turns anticlockwise of each photo's copy; none where all photos have their features already."""
    if all(feature_path(job.workspace, name).exists() for name in job.names):
        return dict.fromkeys(job.names, 0)
    found = []
    for number, name in enumerate(job.names, 1):
        found.append(directed(job.read_gray(job.workspace.images / name)))
        job.progress.update(number, len(job.names), "looking which way up")
    turns = dict(zip(job.names, quarter_turns(found), strict=True))
    if text := said(turns):
        job.progress.info(text)
    for name, turn in turns.items():  # kept from a run with other photos, by which it stood otherwise
        path = feature_path(job.workspace, name)
        if path.exists() and load_features(path).turns != turn:
            remove(path)
    return turns
