"""SIGKILL at a random moment of a random stage; then the same command again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from blender_recon3d.pipeline.stage import STAGES

from .bench import Bench, kill_group, last_event
from .records import Outcome, Run
from .resume import finish

NAME = "kills"
STARTING = "start"  # from nothing, within the first seconds
TARGETS = (
    "all",
    "all",
    "all",
    "all",
    "parent",
    "worker",
)  # which processes are killed, weighted by repetition
ORPHANS = 5.0  # seconds within which processes without a parent must have ended


def attack(number: int, bench: Bench) -> Run:
    """Kill run `number`, start it again, and compare with the undisturbed result."""
    random = bench.random(NAME, number)
    stage = (STARTING, *STAGES)[number % (1 + len(STAGES))]
    return kill_in(stage, random.random(), random.choice(TARGETS), number, bench)


def kill_in(stage: str, share: float, target: str, number: int, bench: Bench, until: str = STAGES[-1]) -> Run:
    """Kill `target` after `share` of the time that `stage` takes in a run up to `until`."""
    folder = _workspace(stage, bench)
    (folder / "events.jsonl").unlink(missing_ok=True)
    process = bench.start(bench.command(folder, until))
    session = process.pid
    try:
        delay = 2.0 * share
        if stage != STARTING:
            _wait(process, lambda: f'"stage": "{stage}"' in _text(folder / "events.jsonl"))
            delay = share * bench.seconds(stage)
        _wait(process, lambda: False, delay)
        case = f"{target} killed in {stage} at {delay:.2f} s"
        if process.poll() is not None:
            case = f"ended before the kill in {stage}"
        orphans = _kill(process, session, target)
    finally:
        kill_group(process)
        process.communicate()
    event = last_event(folder)
    case += f" (after {event.get('stage')}: {event.get('message', '')[:40]})" if event else ""
    if orphans:
        return Run(NAME, number, Outcome.LEFTOVERS, case, f"processes {orphans} lived on")
    return finish(Run(NAME, number, Outcome.SAME, case), folder, bench, until)


def _workspace(stage: str, bench: Bench) -> Path:
    if stage == STARTING:
        folder = bench.scratch / "killed"
        shutil.rmtree(folder, ignore_errors=True)
        return folder
    return bench.copy("killed", bench.before(stage))


def _kill(process: subprocess.Popen[bytes], session: int, target: str) -> list[int]:
    """Kill; returns the processes of the session that still exist after ORPHANS seconds."""
    if target == "all":
        kill_group(process)
    elif target == "parent":
        process.kill()
    else:
        for pid in _session(session):
            if pid != session:
                os.kill(pid, signal.SIGKILL)
                break
    end = time.monotonic() + ORPHANS
    while (left := _session(session)) and time.monotonic() < end:
        process.poll()
        time.sleep(0.02)
    return left


def _session(session: int) -> list[int]:
    """The live processes of a session, oldest first; Linux only (elsewhere empty)."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(path.parent.name))
    return sorted(found)


def _wait(process: subprocess.Popen[bytes], there: Callable[[], bool], timeout: float = 120.0) -> None:
    end = time.monotonic() + timeout
    while process.poll() is None and time.monotonic() < end and not there():
        time.sleep(0.005)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
