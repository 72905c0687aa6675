"""Global descriptors of photos, by which similar ones are found, kept for photos that stay when others are added."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..events import Progress
from ..files.atomic_files import atomic_file
from ..files.regular import open_regular
from .turned_photos import DirectedPhotos, quarter_turns

BATCH = 8  # photos encoded at once
COMPARED = 12  # known photos that new ones are turned like


@dataclass(frozen=True)
class Encoded:
    """descriptors: float32 [N, D] of length 1, in the photos' order; turns: quarter turns anticlockwise that each photo
    needed to be upright like the others."""

    names: list[str]
    descriptors: np.ndarray
    turns: list[int]

    def save(self, path: Path) -> None:
        with atomic_file(path) as part, open(part, "wb") as file:
            np.savez(file, names=np.array(self.names), descriptors=self.descriptors, turns=self.turns)


@dataclass(frozen=True)
class Photos:
    """Access to photos by name. gray, rgb: read one as uint8 [H, W] and [H, W, 3]."""

    names: list[str]
    gray: Callable[[str], np.ndarray]
    rgb: Callable[[str], np.ndarray]


def load(path: Path) -> Encoded | None:
    """What `save` wrote; None if it is missing or damaged."""
    try:
        with open_regular(path) as file, np.load(file, allow_pickle=False) as stored:
            names = [str(name) for name in stored["names"]]
            descriptors, turns = stored["descriptors"], [int(turn) for turn in stored["turns"]]
    except (OSError, ValueError, KeyError, EOFError):
        return None
    if descriptors.ndim != 2 or not len(names) == len(descriptors) == len(turns):
        return None
    return Encoded(names, descriptors, turns)


def encode(
    photos: Photos,
    encode_batch: Callable[[Sequence[np.ndarray]], np.ndarray],
    progress: Progress,
    earlier: Encoded | None = None,
    same: Mapping[str, str] | None = None,
) -> Encoded:
    """Of upright photos: the network mistakes upside-down photos for something else.

    encode_batch: of a retriever. earlier, same: descriptors that are known, and the name there of each photo that is
    unchanged.
    """
    names = photos.names
    known: dict[str, tuple[np.ndarray, int]] = {}
    if earlier:
        place = {name: number for number, name in enumerate(earlier.names)}
        known = {
            name: (earlier.descriptors[place[before]], earlier.turns[place[before]])
            for name, before in (same or {}).items()
            if before in place
        }
    new = [name for name in names if name not in known]
    turns = _turns(photos, new, {name: turn for name, (_, turn) in known.items()}, progress)

    def upright(name: str) -> np.ndarray:
        return np.ascontiguousarray(np.rot90(photos.rgb(name), turns[name]))

    for start in range(0, len(new), BATCH):
        batch = new[start : start + BATCH]
        encoded = encode_batch([upright(name) for name in batch])
        known |= {name: (row, turns[name]) for name, row in zip(batch, encoded, strict=True)}
        progress.update(start + len(batch), len(new), "comparing photos")
    descriptors = np.stack([known[name][0] for name in names])
    return Encoded(list(names), descriptors, [known[name][1] for name in names])


def _turns(
    photos: Photos, new: Sequence[str], known: Mapping[str, int], progress: Progress
) -> dict[str, int]:
    """The quarter turns of new photos; like those of some known ones, if there are any."""
    if not new:
        return {}
    some = sorted(known)[:: max(1, len(known) // COMPARED)][:COMPARED]
    examined = [*new, *some]

    def read(number: int) -> np.ndarray:
        name = examined[number]
        return np.ascontiguousarray(np.rot90(photos.gray(name), known.get(name, 0)))

    directions = DirectedPhotos(
        len(examined), read, lambda done: progress.update(done, len(examined), "finding which way is up")
    )
    turns = quarter_turns(directions)
    of_known = turns[len(new) :]
    usual = max(set(of_known), key=of_known.count) if of_known else 0
    return {name: (turn - usual) % 4 for name, turn in zip(new, turns, strict=False)}
