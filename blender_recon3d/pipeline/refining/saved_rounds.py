"""Saves the rounds of a refinement, so that an interrupted one continues after the last complete round."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..colmap.model_files import read_model
from ..errors import UserError
from ..files.atomic_files import atomic_folder, remove
from ..files.regular import open_regular

ARRAYS = {"pixel": (np.float64, 2), "xyz": (np.float64, 2), "good": (np.bool_, 1), "put_back": (np.bool_, 1)}


@dataclass(frozen=True)
class Round:
    """The state after a round: pixel [O, 2] and xyz [P, 3] of its observations and points; good [O]: which are aligned
    well; put_back [O]: which keep their original position, since their photo has too few good ones; cameras: a pycolmap
    Reconstruction with the poses and intrinsics."""

    pixel: np.ndarray
    xyz: np.ndarray
    good: np.ndarray
    put_back: np.ndarray
    cameras: Any


class SavedRounds:
    """Rounds by number, in their own folder; None: they are not saved."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def load(self, number: int, observations: int, points: int) -> Round | None:
        """The round, if it exists, is complete, and has so many observations and points."""
        if self._folder is None or not (path := self._folder / str(number)).is_dir():
            return None
        try:
            with open_regular(path / "arrays.npz") as file, np.load(file, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in ARRAYS}
            sizes = (observations, points, observations, observations)
            for (name, (kind, dimensions)), size in zip(ARRAYS.items(), sizes, strict=True):
                if arrays[name].dtype != kind or arrays[name].ndim != dimensions or len(arrays[name]) != size:
                    raise ValueError(name)
            return Round(**arrays, cameras=read_model(path))
        except (OSError, ValueError, KeyError, EOFError, UserError):
            remove(path)
            return None

    def save(self, number: int, current: Round) -> None:
        if self._folder is None:
            return
        with atomic_folder(self._folder / str(number)) as part:
            current.cameras.write(part)
            np.savez(part / "arrays.npz", **{name: getattr(current, name) for name in ARRAYS})
