"""Runs the same command again after an accident."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from blender_recon3d.pipeline.stage import STAGES

from .bench import Bench
from .records import Outcome, Run
from .snapshot import leftovers


def finish(run: Run, folder: Path, bench: Bench, until: str = STAGES[-1]) -> Run:
    """`run` with its outcome: how the same command ends in `folder`, and whether the result equals the
    undisturbed one."""
    ended = bench.run(folder, until)
    if ended.code is None:
        return replace(run, outcome=Outcome.HUNG)
    if ended.code != 0:
        again = bench.run(folder, until)
        if again.code != 0:
            return replace(run, outcome=Outcome.STUCK, note=again.sentence or f"code {again.code}")
        return replace(run, outcome=Outcome.UNTOLD, note=ended.sentence or f"code {ended.code}")
    if different := bench.differences(folder, until):
        return replace(run, outcome=Outcome.SILENT, note=f"other: {', '.join(different[:6])}")
    if left := leftovers(folder):
        return replace(run, outcome=Outcome.LEFTOVERS, note=", ".join(left))
    return run
