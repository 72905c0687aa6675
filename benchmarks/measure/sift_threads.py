"""Is COLMAP's SIFT matcher deterministic with several threads? Counts the runs that differ from the first.

    python -m benchmarks.measure.sift_threads WORKSPACE [--threads 1 16] [--runs 100]

WORKSPACE: one with SIFT features; its database is copied. All pairs of its photos are matched, without verification.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.colmap.database import image_ids, open_database, write_pairs
from blender_recon3d.pipeline.workspace import Workspace

Matches = dict[tuple[str, str], np.ndarray]


def match(source: Path, folder: Path, threads: int) -> tuple[Matches, float]:
    """Matches of all pairs of a copy of the database, and the CPU seconds."""
    database, listed = folder / "database.db", folder / "pairs.txt"
    shutil.copy(source, database)
    with open_database(database) as content:
        content.clear_matches()
        content.clear_two_view_geometries()
        ids = image_ids(content)
    pairs = list(itertools.combinations(sorted(ids), 2))
    write_pairs(listed, pairs)
    options, pairing = pycolmap.FeatureMatchingOptions(), pycolmap.ImportedPairingOptions()
    options.use_gpu, options.num_threads, options.skip_geometric_verification = False, threads, True
    pairing.match_list_path = listed
    begin = time.process_time()
    pycolmap.match_image_pairs(database, options, pairing)
    seconds = time.process_time() - begin
    with open_database(database) as content:
        return {(a, b): np.asarray(content.read_matches(ids[a], ids[b])) for a, b in pairs}, seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--runs", type=int, default=100)
    options = parser.parse_args()
    source = Workspace(options.workspace).database
    print(
        "| threads | runs that differ | largest loss of a pair's matches | CPU s a run |\n|---|---|---|---|"
    )
    for threads in options.threads:
        with tempfile.TemporaryDirectory() as scratch:
            first, _ = match(source, Path(scratch), threads)
            differing, worst, seconds = 0, 0.0, []
            for _ in range(options.runs):
                found, taken = match(source, Path(scratch), threads)
                seconds.append(taken)
                other = [pair for pair in first if not np.array_equal(first[pair], found[pair])]
                differing += bool(other)
                for pair in other:
                    counts = sorted((len(first[pair]), len(found[pair])))
                    worst = max(worst, 1 - counts[0] / max(counts[1], 1))
        print(
            f"| {threads} | {differing} of {options.runs} | {worst:.0%} | {np.median(seconds):.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
