"""Damaged files for every reader. A reader may accept one or raise UserError; anything else is a fault."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np

from blender_recon3d.pipeline.errors import UserError

from .bench import ROOT, Bench
from .blender_imports import NAME as IMPORTS
from .blender_imports import where
from .fuzz_seeds import Seeds
from .fuzz_targets import TARGETS
from .records import Outcome, Run

NAME = "fuzzed files"
BLOCK = 2000  # inputs per process
IMPORT_BLOCK = 100  # imports per process
SLOW = 5.0  # seconds for a file of a few kilobytes
BLOCK_PATIENCE = 1200  # seconds


def read_one(number: int, bench: Bench, seeds: Seeds, folder: Path) -> Run:
    """Damage one file and read it; `folder` is emptied first and contains the file afterwards."""
    chance = bench.random(NAME, number)
    target = list(TARGETS)[number % len(TARGETS)]
    case = TARGETS[target](seeds, chance)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in case.files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    start = time.monotonic()
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            case.read(folder)
    except UserError:
        outcome, note = Outcome.REFUSED, ""
    except Exception as error:  # exactly what this searches for
        outcome, note = Outcome.ESCAPED, where(error)
    else:
        outcome, note = Outcome.ACCEPTED, ""
    if time.monotonic() - start > SLOW:
        outcome, note = Outcome.HUNG, f"{time.monotonic() - start:.0f} s"
    return Run(NAME, number, outcome, target, note)


def read_block(first: int, count: int, bench: Bench) -> list[Run]:
    """`count` inputs starting at number `first`, in this process."""
    seeds = Seeds(bench.finished, bench.scratch / "seeds")
    folder = bench.scratch / "fuzzed"
    return [read_one(number, bench, seeds, folder) for number in range(first, first + count)]


def run_block(first: int, count: int, bench: Bench) -> list[Run]:
    """The same in a separate process with limited memory: a crash costs one block and is reported."""
    words = [sys.executable, "-m", "benchmarks.measure.faults", "--scratch", str(bench.scratch)]
    words += ["--seed", str(bench.seed)]
    return call_block(NAME, [*words, "--block", str(first), str(count)], first, bench.scratch / "fuzzed")


def import_block(first: int, count: int, bench: Bench, python: Path) -> list[Run]:
    """`count` imports into the Blender of that Python, in a separate process."""
    words = [str(python), "-m", "benchmarks.faults.blender_imports", str(bench.finished), str(bench.scratch)]
    words += [str(bench.seed)]
    return call_block(IMPORTS, [*words, str(first), str(count)], first, bench.scratch / "imported")


def call_block(name: str, command: list[str], first: int, folder: Path) -> list[Run]:
    """The runs that a command writes as lines of JSON; `folder` has what it was reading when it crashed."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=BLOCK_PATIENCE)
    except subprocess.TimeoutExpired:
        return [Run(name, first, Outcome.HUNG, f"block of {first}", _kept(folder, first))]
    if done.returncode:
        note = f"code {done.returncode}, {_kept(folder, first)}"
        return [Run(name, first, Outcome.CRASHED, f"block of {first}", note)]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b'{"attack"')]
    return [Run(**{**line, "outcome": Outcome(line["outcome"])}) for line in lines]


def _kept(folder: Path, first: int) -> str:
    """Keep the input that was being read, for analysis."""
    target = folder.with_name(f"{folder.name}_{first}")
    shutil.rmtree(target, ignore_errors=True)
    if folder.exists():
        shutil.copytree(folder, target)
    return str(target)
