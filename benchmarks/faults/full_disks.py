"""The disk becomes full at some point of a stage; then there is space again and the same command continues."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from blender_recon3d.pipeline.stage import STAGES

from . import mounts
from .bench import Bench
from .records import Outcome, Run

SIZES = 30  # steps from no space at all to a little more than the stage needs
SPARE = 16  # kilobytes; events and report grow by less
ROOM = 200 << 10  # kilobytes: enough for everything
MADE_BY = {
    "features": ("database.db",),
    "matches": ("database.db",),
    "sfm": ("sparse",),
    "dense": ("dense",),
    "mesh": ("mesh",),
    "texture": ("texture",),
}


def attack_on(stage: str) -> str:
    """The attack's name in the table."""
    return f"full disks in {stage}"


def attack(stage: str, number: int, bench: Bench) -> Run:
    """Size `number` of SIZES for one stage."""
    share = number % SIZES / (SIZES - 1)
    total = 1.25 * sum(_kilobytes(bench.finished / name) for name in MADE_BY[stage])
    return fill(stage, round(SPARE + share * total), number, bench)


def fill(stage: str, room: int, number: int, bench: Bench, until: str = STAGES[-1]) -> Run:
    """Run `stage` on a disk that has `room` kilobytes left, then up to `until` with enough."""
    name, case = attack_on(stage), f"+{room} KB"
    source = bench.copy("before", bench.before(stage))
    for later in STAGES[STAGES.index(stage) :]:
        for made in MADE_BY.get(later, ()):
            if made != "database.db":
                shutil.rmtree(source / made, ignore_errors=True)
    (source / "events.jsonl").unlink()
    (source / "log.txt").unlink()
    with mounts.small_disk(bench.scratch / "disk", _kilobytes(source) + room) as disk:
        folder = disk / "workspace"
        shutil.copytree(source, folder, symlinks=True)
        first = bench.run(folder, until=stage)
        mounts.resize(disk, ROOM)
        second = bench.run(folder, until)
        if first.code is None or second.code is None:
            return Run(name, number, Outcome.HUNG, case)
        if second.code != 0:
            return Run(name, number, Outcome.STUCK, case, second.sentence or f"code {second.code}")
        different = bench.differences(folder, until)
    if different:
        return Run(name, number, Outcome.SILENT, case, f"other: {', '.join(different[:6])}")
    if first.code == 0:
        return Run(name, number, Outcome.SAME, case)
    if not first.sentence:
        return Run(name, number, Outcome.UNTOLD, case, f"code {first.code}")
    told = "disk is full" in first.sentence
    return Run(name, number, Outcome.TOLD if told else Outcome.MISTOLD, case, first.sentence)


def _kilobytes(path: Path) -> int:
    """The space of a file or a folder on a disk with 4 KB pages."""
    done = subprocess.run(["du", "-sk", str(path)], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[0])
