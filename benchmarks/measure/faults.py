"""Attacks on the engine: kills, power cuts, torn files, full disks and fuzzed files, in one table.

    python -m benchmarks.measure.faults --scratch DIR [--only kills "torn files" ...] [--kills 100] [--power-cuts 20]
                                [--torn-files 104] [--damaged-workspaces 100] [--disk-sizes 30]
                                [--fuzzed 100000] [--imports 3000] [--seed 1] [--nice 10] [--table]
                                [--markdown benchmarks/results/faults.md]

DIR stores every run in a file as it ends, so the same command continues after an interruption, and larger numbers add
to existing ones. Power cuts and full disks mount file systems and are skipped, with the reason, if that is not allowed
(Linux and root). Everything takes two hours on two cores. docs/pipeline/safety.md explains what these attacks
demonstrate.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from benchmarks.common.places import ROOT
from benchmarks.faults import damaged_workspaces, full_disks, fuzz, kills, mounts, power_cuts, torn_files
from benchmarks.faults.bench import COUNT, SIZE, Bench, limit_memory
from benchmarks.faults.records import Outcome, Records, Row, Run, markdown, row
from blender_recon3d.pipeline.system.versions import versions

DISK_STAGES = ("sfm", "dense")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scratch", type=Path, required=True, help="a folder for copies and records")
    parser.add_argument(
        "--only", nargs="+", metavar="ATTACK", help="some attacks, by their names in the table"
    )
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--power-cuts", type=int, default=20)
    parser.add_argument("--torn-files", type=int, default=len(torn_files.FILES) * len(torn_files.WAYS))
    parser.add_argument("--damaged-workspaces", type=int, default=100)
    parser.add_argument("--disk-sizes", type=int, default=full_disks.SIZES, help="sizes in each stage")
    parser.add_argument("--fuzzed", type=int, default=100_000)
    parser.add_argument("--imports", type=int, default=3000, help="into Blender")
    parser.add_argument("--blender-python", type=Path, default=ROOT / ".venv-bpy" / "bin" / "python")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--nice", type=int, default=0)
    parser.add_argument("--table", action="store_true", help="run nothing, print the table of what is there")
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    parser.add_argument("--block", nargs=2, type=int, metavar=("FIRST", "COUNT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    bench = Bench(options.scratch.absolute(), options.seed, options.nice)
    if options.block:
        return _fuzz_here(bench, *options.block)
    bench.scratch.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that mounts and processes end with this
    rows, skipped = [], []
    for name, count, run, reason in _attacks(options):
        records = Records(bench.scratch / "records", name)
        if reason:
            skipped.append(f"Left out: {name}, because {reason}.")
        elif not options.table and (not options.only or name in options.only):
            run(records, count, bench)
        if done := records.read():
            rows.append(row(name, done))
    text = _table(rows, skipped)
    sys.stdout.write(text)
    if options.markdown:
        options.markdown.write_text("# Attacks on the engine\n\n" + text, "utf-8")
    return 0


Runner = Callable[[Records, int, Bench], None]


def _attacks(options: argparse.Namespace) -> list[tuple[str, int, Runner, str]]:
    """Name, number of runs, runner, and why they cannot be run here ("" if they can)."""
    python = options.blender_python
    no_blender = "" if python.exists() else f"{python} is not there (make setup-bpy)"
    no_mount = mounts.why_not()
    disks = [
        (
            full_disks.attack_on(stage),
            options.disk_sizes,
            _single(partial(full_disks.attack, stage)),
            no_mount,
        )
        for stage in DISK_STAGES
    ]
    damage = (damaged_workspaces.NAME, options.damaged_workspaces, _single(damaged_workspaces.attack), "")
    imports = partial(fuzz.import_block, python=python)
    return [
        (kills.NAME, options.kills, _single(kills.attack), ""),
        (power_cuts.NAME, options.power_cuts, _single(power_cuts.attack), mounts.why_no_loop()),
        (torn_files.NAME, options.torn_files, _single(torn_files.attack), ""),
        damage,
        *disks,
        (fuzz.NAME, options.fuzzed, _blocks(fuzz.run_block, fuzz.BLOCK), ""),
        (fuzz.IMPORTS, options.imports, _blocks(imports, fuzz.IMPORT_BLOCK), no_blender),
    ]


def _single(attack: Callable[[int, Bench], Run]) -> Runner:
    """Runs that take seconds each, in sequence."""

    def run(records: Records, count: int, bench: Bench) -> None:
        for number in records.missing(count):
            _note(records, attack(number, bench))

    return run


def _blocks(attack: Callable[[int, int, Bench], list[Run]], size: int) -> Runner:
    """Runs that take milliseconds, many per process."""

    def run(records: Records, count: int, bench: Bench) -> None:
        firsts = sorted({number // size * size for number in records.missing(count)})
        for first in firsts:
            for one in attack(first, min(size, count - first), bench):
                _note(records, one)

    return run


def _note(records: Records, run: Run) -> None:
    records.add(run)
    if run.attack not in (fuzz.NAME, fuzz.IMPORTS) or not run.outcome.held:
        print(
            f"{run.attack} {run.number}: {run.outcome} ({run.case}) {run.note}", file=sys.stderr, flush=True
        )


def _fuzz_here(bench: Bench, first: int, count: int) -> int:
    """One block of the fuzzer in this process; prints its runs to standard output."""
    limit_memory()
    for run in fuzz.read_block(first, count, bench):
        sys.stdout.write(json.dumps(asdict(run)) + "\n")
    return 0


def _table(rows: list[Row], skipped: list[str]) -> str:
    here = versions()
    good = ", ".join(f"“{outcome}”" for outcome in Outcome if outcome.held)
    note = (
        f"{COUNT} photos of the demo capture at {SIZE} px, SIFT, preview, up to the texture; recon3d "
        f"{here['recon3d']}, pycolmap {here['pycolmap']}, CPU only. A run held when it ended with {good}. The same "
        "result is the same bytes in everything but reports, which hold times."
    )
    return "\n".join([markdown(rows), note, "", *skipped, ""])


if __name__ == "__main__":
    sys.exit(main())
