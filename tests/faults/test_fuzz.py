"""A damaged file of any kind is read or refused with a message."""

import json
import random

from benchmarks.faults import fuzz_targets
from benchmarks.faults.fuzz import read_block
from benchmarks.faults.fuzz_seeds import Seeds
from benchmarks.faults.fuzz_targets import TARGETS

INPUTS = 2000


def test_damaged_files_are_read_or_refused(bench):
    runs = read_block(0, INPUTS, bench)
    assert {run.case for run in runs} == set(TARGETS)
    assert [run for run in runs if not run.outcome.held] == []


def test_what_is_damaged_was_sound(bench, tmp_path, monkeypatch):
    """A seed that no reader accepts would be refused at its first line, however it is damaged."""
    monkeypatch.setattr(fuzz_targets, "damaged", lambda content, chance: content)
    monkeypatch.setattr(
        fuzz_targets, "damaged_json", lambda value, chance, rate=0: json.dumps(value).encode()
    )
    seeds = Seeds(bench.finished, tmp_path / "seeds")
    for name, target in TARGETS.items():
        for number in range(8):
            case = target(seeds, random.Random(number))
            folder = tmp_path / f"{name} {number}"
            for file, content in case.files.items():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_bytes(content)
            case.read(folder)
