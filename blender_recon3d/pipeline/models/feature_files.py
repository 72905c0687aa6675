"""Learned features on disk: features/NAME.npz, one file per photo, written atomically."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import UserError
from ..files.atomic_files import atomic_file
from ..files.regular import open_regular
from ..workspace import Workspace

if TYPE_CHECKING:
    from .frontend import Features

# What numpy and zipfile raise for archives that are truncated, modified, or compressed in an unusual way.
_DAMAGED = (
    OSError, ValueError, KeyError, EOFError, TypeError, IndexError, AttributeError, ArithmeticError, RuntimeError,
    MemoryError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def feature_path(workspace: Workspace, name: str) -> Path:
    return workspace.features / f"{name}.npz"


def save_features(path: Path, features: Features) -> None:
    """Descriptors in half precision: they have unit length, and 1e-3 of a component is below their noise."""
    with atomic_file(path) as part, open(part, "wb") as file:
        np.savez(
            file,
            keypoints=features.keypoints.astype(np.float32),
            scores=features.scores.astype(np.float32),
            descriptors=features.descriptors.astype(np.float16),
            image_size=np.asarray(features.image_size, np.int64),
            turns=np.asarray(features.turns, np.int64),
        )


def load_features(path: Path) -> Features:
    """UserError naming the file if it is missing or damaged."""
    from .frontend import Features

    try:
        with open_regular(path) as file, np.load(file, allow_pickle=False) as stored:
            features = Features(
                keypoints=stored["keypoints"],
                scores=stored["scores"],
                descriptors=stored["descriptors"].astype(np.float32),
                image_size=(int(stored["image_size"][0]), int(stored["image_size"][1])),
                turns=int(stored["turns"]) if "turns" in stored.files else 0,
            )
        count = len(features.scores)
        if (
            features.keypoints.shape != (count, 2)
            or features.descriptors.ndim != 2
            or len(features.descriptors) != count
        ):
            raise ValueError("its arrays do not match")
        return features
    except _DAMAGED as error:
        raise UserError(f"{path} cannot be read ({error}): delete it and run again.") from error
