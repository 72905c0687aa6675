"""What sharing the work costs: CPU seconds of shards and of Dask's workers against a run on one machine.

    python -m benchmarks.measure.farm [--photos 12] [--shards 3] [--workers 1 2] [--markdown FILE]

Rendered photos of a box are reconstructed up to the cloud. CPU seconds are of all processes of the engine, without the
scheduler; on a machine that others use, they say more than the clock. The overhead is divided by all items: batches of
photos, blocks of pairs, groups of depth maps in both steps. Small items such as these show it best.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.common.places import ROOT
from benchmarks.common.show_table import show_table
from blender_recon3d.pipeline.colmap.database import read_pairs
from blender_recon3d.pipeline.colmap.sift import BLOCK
from blender_recon3d.pipeline.models.network_extraction import BATCH
from blender_recon3d.pipeline.mvs.depth_items import GROUP
from tests.support.farm import farm
from tests.support.scenes import box_scene, ring, write_capture

SETTINGS = (
    "--features",
    "sift",
    "--max-keypoints",
    "2000",
    "--dense-size",
    "320",
    "--device",
    "cpu",
    "--until",
    "dense",
)
CLOUD = (*SETTINGS, "--until", "dense")
SECONDS_TO_CONNECT = 30


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=12)
    parser.add_argument("--shards", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos, one = folder / "photos", folder / "one"
        photos.mkdir()
        write_capture(photos, ring(options.photos), box_scene())
        plain, clock = engine("run", photos, "-o", one, *CLOUD)
        items = -(-options.photos // BATCH) + -(-len(read_pairs(one / "pairs.txt")) // BLOCK)
        items += 2 * -(-options.photos // GROUP)
        rows = [["one machine", f"{plain:.0f}", f"{clock:.0f}", "", ""]]

        def add(title: str, root: Path, cpu: float, clock: float) -> None:
            same = (root / "dense/fusion.ply").read_bytes() == (one / "dense/fusion.ply").read_bytes()
            over = f"{(cpu - plain) / items:.2f}"
            rows.append([title, f"{cpu:.0f}", f"{clock:.0f}", over, "yes" if same else "no"])

        add(
            f"{options.shards} shards",
            folder / "shards",
            *by_shards(photos, folder / "shards", options.shards),
        )
        for count in options.workers:
            root = folder / f"dask{count}"
            with farm(folder / f"farm{count}") as made:
                workers = [made.start_worker() for _ in range(count)]
                time.sleep(SECONDS_TO_CONNECT)
                before = sum(map(used, workers))
                cpu, clock = engine(
                    "run", photos, "-o", root, *SETTINGS, "--until", "dense", "--scheduler", made.address
                )
                cpu += sum(map(used, workers)) - before
            add(f"Dask, workers: {count}", root, cpu, clock)
    head = ["way", "CPU seconds", "seconds", "overhead, CPU seconds an item", "same bytes"]
    lines = ["| " + " | ".join(row) + " |\n" for row in (head, ["---"] * len(head), *rows)]
    title = f"Sharing the work of {options.photos} photos, {items} items"
    show_table(title, "".join(lines), options.markdown)
    return 0


def by_shards(photos: Path, root: Path, shards: int) -> tuple[float, float]:
    commands = [["run", photos, "-o", root, *SETTINGS, "--until", "pairs"]]
    for stage, steps, end in (
        ("features", 1, []),
        ("matches", 1, ["--until", "refine"]),
        ("dense", 2, ["--until", "dense"]),
    ):
        commands += [
            [stage, root, "--shard", f"{part}/{shards}"]
            for _ in range(steps)
            for part in range(1, shards + 1)
        ]
        commands.append(["run", photos, "-o", root, *SETTINGS, *end] if end else [stage, root])
    measured = [engine(*command) for command in commands]
    return sum(cpu for cpu, _ in measured), sum(clock for _, clock in measured)


def engine(*words: object) -> tuple[float, float]:
    """CPU seconds, and seconds, of a command of the engine."""
    command = [sys.executable, "-m", "blender_recon3d.pipeline", *map(str, words)]
    before, begun = os.times(), time.monotonic()
    subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return cpu, time.monotonic() - begun


def used(worker: psutil.Process) -> float:
    """CPU seconds of a worker's processes."""
    every = [worker, *worker.children(recursive=True)]
    return sum(sum(each.cpu_times()[:2]) for each in every)


if __name__ == "__main__":
    sys.exit(main())
