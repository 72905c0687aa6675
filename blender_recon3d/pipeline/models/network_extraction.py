"""The common part of networks that find keypoints: features/NAME.npz and the database, a few photos at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from ..colmap.database import image_ids, open_database, write_features
from ..documents.document_files import read_document, write_document
from ..documents.turns_json import TurnsDocument
from ..errors import UserError
from ..files.atomic_files import remove
from ..matching.turned_photos import DirectedPhotos, quarter_turns, turned_back, turned_note
from ..workspace import Workspace
from .arithmetic import slow_remark
from .feature_files import feature_path, load_features, save_features
from .frontend import Features
from .network import ExtractionJob
from .parallel import prefetch

BATCH = 4  # photos given to the network at once; a kill can cost two such batches


class FeatureNetwork(Protocol):
    """`frontend.FeatureExtractor` is one."""

    device: torch.device

    def extract(
        self, images: Sequence[np.ndarray], masks: Sequence[np.ndarray | None] | None = None
    ) -> list[Features]:
        """Features of gray photos, uint8 [H, W] each; none where a mask of the same aspect ratio is 0."""


class NetworkExtractor:
    """precision: the setting, for a remark if it is slow here."""

    def __init__(self, network: FeatureNetwork, precision: str = "auto") -> None:
        self.network = network
        self.precision = precision

    def remove_torn(self, job: ExtractionJob) -> bool:
        """Features found again may differ slightly, so that those in the database might not match them."""
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
        """Write features/NAME.npz atomically, then the database; existing ones are skipped."""
        with open_database(job.workspace.database) as database:
            ids = image_ids(database)
            for names in self.find(job):
                for name in names:
                    if not database.exists_descriptors(ids[name]):
                        features = load_features(feature_path(job.workspace, name))
                        write_features(database, ids[name], places(features), features.descriptors)

    def prepare(self, job: ExtractionJob) -> None:
        """Decide the rotations, which depend on all photos."""
        self.remove_torn(job)
        _turns(job)

    def done(self, job: ExtractionJob) -> set[str]:
        return {name for name in job.names if feature_path(job.workspace, name).exists()}

    def extract_some(self, job: ExtractionJob, into: Workspace) -> None:
        turns = _decided(job.workspace, job.names) or _turns(job)
        images, masks = _read(job, job.names, turns)
        for name, features in zip(job.names, self.network.extract(images, masks), strict=True):
            save_features(feature_path(into, name), replace(features, turns=turns[name]))

    def find(self, job: ExtractionJob) -> Iterator[list[str]]:
        """The photos in batches, once their features/NAME.npz exist.

        While one batch goes through the network, the next is read and the last one is written.
        """
        workspace = job.workspace
        if remark := slow_remark(self.precision, self.network.device):
            job.progress.info(remark)
        batches = [job.names[start : start + BATCH] for start in range(0, len(job.names), BATCH)]

        turns = _turns(job)

        def read(names: list[str]) -> tuple[list[str], list[str], list[np.ndarray], list[np.ndarray | None]]:
            # Complete batches only: on a GPU a photo's features depend slightly on the other photos of the batch.
            new = [] if all(feature_path(workspace, name).exists() for name in names) else names
            return (names, new, *_read(job, new, turns))

        def find(
            batch: tuple[list[str], list[str], list[np.ndarray], list[np.ndarray | None]],
        ) -> tuple[list[str], dict[str, Features]]:
            names, new, images, masks = batch
            features_of = dict(zip(new, self.network.extract(images, masks), strict=True))
            return names, {
                name: replace(features, turns=turns[name]) for name, features in features_of.items()
            }

        done = 0
        for names, features_of in prefetch(find, prefetch(read, batches)):
            for name, features in features_of.items():
                if not feature_path(workspace, name).exists():
                    save_features(feature_path(workspace, name), features)
            yield names
            done += len(names)
            job.progress.update(done, len(job.names), "finding features")


def places(features: Features) -> np.ndarray:
    """Keypoints [N, 2] in COLMAP's pixels of the photo itself, which may have been rotated for the network."""
    return turned_back(features.keypoints, features.image_size, features.turns)


def _read(
    job: ExtractionJob, names: list[str], turns: dict[str, int]
) -> tuple[list[np.ndarray], list[np.ndarray | None]]:
    """The photos, rotated for the network, and their masks."""

    def turned(path: Path, name: str) -> np.ndarray:
        return np.ascontiguousarray(np.rot90(job.read_gray(path), turns[name]))

    masks = [job.workspace.masks / f"{name}.png" for name in names]
    return (
        [turned(job.workspace.images / name, name) for name in names],
        [turned(mask, name) if mask.exists() else None for mask, name in zip(masks, names, strict=True)],
    )


def _turns(job: ExtractionJob) -> dict[str, int]:
    """Quarter turns anticlockwise of each photo's copy; zero if all photos have their features already."""
    if all(feature_path(job.workspace, name).exists() for name in job.names):
        return dict.fromkeys(job.names, 0)
    if decided := _decided(job.workspace, job.names):
        return decided
    directions = DirectedPhotos(
        len(job.names),
        lambda number: job.read_gray(job.workspace.images / job.names[number]),
        lambda done: job.progress.update(done, len(job.names), "finding which way is up"),
    )
    turns = dict(zip(job.names, quarter_turns(directions), strict=True))
    if text := turned_note(turns):
        job.progress.info(text)
    for name, turn in turns.items():  # features kept from a run with other photos, with another rotation
        path = feature_path(job.workspace, name)
        if path.exists() and load_features(path).turns != turn:
            remove(path)
    write_document(job.workspace.turns, TurnsDocument(photos=turns))
    return turns


def _decided(workspace: Workspace, names: list[str]) -> dict[str, int]:
    """The rotations decided before for these photos; empty if there are none, or for other photos."""
    if not workspace.turns.exists():
        return {}
    try:
        turns = read_document(TurnsDocument, workspace.turns, "").photos
    except UserError:
        return {}
    return {name: turns[name] % 4 for name in names} if set(names) <= set(turns) else {}
