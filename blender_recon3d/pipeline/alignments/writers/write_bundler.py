"""Bundler's bundle.out, with list.txt beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...files.atomic_files import atomic_file
from ..camera_alignment import Alignment
from .lens_terms import require_simple
from .written_tracks import tracks_of

_FLIP = np.diag([1.0, -1.0, -1.0])


def write(path: Path, alignment: Alignment) -> None:
    """Supports only lenses with one focal length, a centered principal point and two radial terms."""
    lines = ["# Bundle file v0.3", f"{len(alignment.photos)} {len(alignment.xyz)}"]
    for photo in alignment.photos:
        terms = require_simple(photo.lens, "Bundler", radial=2, centered=True)
        lines.append(f"{terms.fx!r} {terms.radial[0]!r} {terms.radial[1]!r}")
        pose = _FLIP @ photo.cam_from_world
        lines += [_words(row) for row in (*pose[:, :3], pose[:, 3])]
    sizes = [np.array([photo.lens.width, photo.lens.height]) / 2 for photo in alignment.photos]
    for xyz, color, track in zip(alignment.xyz, alignment.colors, tracks_of(alignment), strict=True):
        seen = [
            f"{photo} {key} {float(x - sizes[photo][0])!r} {float(sizes[photo][1] - y)!r}"
            for photo, key, x, y in track
        ]
        lines += [
            _words(xyz),
            " ".join(str(int(value)) for value in color),
            " ".join([str(len(seen)), *seen]),
        ]
    # Programs look for list.txt; under another name another export's stays as it is.
    names = "list.txt" if path.name == "bundle.out" else f"{path.stem}.list.txt"
    with atomic_file(path.with_name(names)) as part:
        part.write_text("".join(f"{photo.name}\n" for photo in alignment.photos), "utf-8")
    with atomic_file(path) as part:
        part.write_text("\n".join(lines) + "\n", "utf-8")


def _words(values: np.ndarray) -> str:
    return " ".join(repr(float(value)) for value in values)
