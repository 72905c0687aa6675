"""Verifies matches again after the cameras' parameters have changed."""

from __future__ import annotations

from pathlib import Path

from ..events import Progress
from ..files.atomic_files import remove
from .calls import pycolmap, run_cancellable
from .database import image_ids, open_database, pair_counts, write_pairs


def verify_again(path: Path, pair_list: Path, seed: int, progress: Progress) -> None:
    """Verify all pairs of a database that have matches. pair_list: a temporary file."""
    with open_database(path) as database:
        names = {number: name for name, number in image_ids(database).items()}
        pairs = sorted(pair for pair, (matches, _) in pair_counts(database).items() if matches)
        database.clear_two_view_geometries()
    write_pairs(pair_list, [(names[a], names[b]) for a, b in pairs])
    options = pycolmap.TwoViewGeometryOptions()
    options.ransac.random_seed = seed
    run_cancellable(
        lambda token: pycolmap.verify_matches(path, pair_list, options, cancellation_token=token), progress
    )
    remove(pair_list)
