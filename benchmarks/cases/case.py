"""A case, and its outcome."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common.places import ROOT
from blender_recon3d.pipeline.events import read_events
from blender_recon3d.pipeline.workspace import Workspace

PHOTOS, TRUTH = ROOT / "demo" / "photos", ROOT / "demo" / "truth"
OPTIONS = ("--quality", "preview", "--features", "sift", "--feature-size", "600", "--until", "sfm")
SENTENCES = 3  # messages shown in the table


@dataclass(frozen=True)
class Case:
    """make(folder) fills an empty folder with the input and returns the folder of photos; options go to `recon3d run`
    in addition to OPTIONS, which they override. truth: COLMAP cameras of these photos, matched by file name, or
    None."""

    name: str
    make: Callable[[Path], Path]
    options: tuple[str, ...] = ()
    truth: Path | None = TRUTH


@dataclass(frozen=True)
class Outcome:
    """registered: out of `used` photos; error: median and largest error of the camera centers, in percent of the
    truth's object, or None; said: warnings, doubts and errors."""

    exit_code: int
    registered: int
    used: int
    error: tuple[float, float] | None
    said: tuple[str, ...]


def run_case(case: Case, scratch: Path) -> Outcome:
    """Make the case's photos below `scratch`, once, and reconstruct them."""
    where = scratch / case.name.replace(" ", "-")
    photos = where / "made"
    if not photos.exists():
        photos.mkdir(parents=True)
        given = case.make(photos)
        (where / "given.txt").write_text(str(given), "utf-8")
    given = Path((where / "given.txt").read_text("utf-8"))
    workspace = Workspace(where / "out")
    command = [sys.executable, "-m", "blender_recon3d.pipeline", "run", str(given), "-o", str(workspace.root)]
    ran = subprocess.run(
        [*command, *OPTIONS, *case.options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return Outcome(ran.returncode, *_counts(workspace), _error(workspace, case.truth), _said(workspace))


def _counts(workspace: Workspace) -> tuple[int, int]:
    from blender_recon3d.pipeline.errors import UserError

    try:
        used = len(workspace.used_photos())
        found = json.loads(workspace.registration.read_text("utf-8"))["photos"]
    except (UserError, OSError, ValueError, KeyError):
        return 0, 0
    return sum(entry["state"] == "registered" for entry in found.values()), used


def _error(workspace: Workspace, truth: Path | None) -> tuple[float, float] | None:
    from blender_recon3d.pipeline.errors import UserError
    from blender_recon3d.pipeline.evaluation.evaluate import evaluate
    from blender_recon3d.pipeline.evaluation.truth import read_truth

    if truth is None:
        return None
    try:
        found = evaluate(workspace, truth)["cameras"]["centre"]
    except (UserError, OSError, KeyError):
        return None
    size = read_truth(truth).size or 1.0
    return 100 * found["median"] / size, 100 * found["max"] / size


def _said(workspace: Workspace) -> tuple[str, ...]:
    """Without repeats: one message of each kind is enough."""
    events, _ = read_events(workspace.events)
    said = [event.message for event in events if event.kind in ("warning", "error")]
    return tuple(dict.fromkeys(said))


def markdown(rows: list[tuple[Case, Outcome]]) -> str:
    """The table of cases."""
    lines = [
        "| case | exit code | photos placed | error of centers, median and largest | what was said |",
        "|---|---|---|---|---|",
    ]
    for case, outcome in rows:
        error = "" if outcome.error is None else f"{outcome.error[0]:.2f} %, {outcome.error[1]:.2f} %"
        more = len(outcome.said) - SENTENCES
        said = " ".join(outcome.said[:SENTENCES]) + (f" (and {more} more)" if more > 0 else "")
        placed = f"{outcome.registered} of {outcome.used}"
        lines.append(f"| {case.name} | {outcome.exit_code} | {placed} | {error} | {said.replace('|', '/')} |")
    return "\n".join(lines) + "\n"
