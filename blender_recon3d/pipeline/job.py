"""Runs a job's stages in order, skips what is already there, and leaves a workspace that can be resumed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import time
from pathlib import Path
from typing import Any

from . import arithmetic, doubts
from .events import Cancelled, Progress, UserError
from .memory import PeakMemory
from .settings import STAGES, JobSettings, StageSettings
from .stages import Stage, load_stage
from .workspace import Workspace, remove, write_json

# Raise a stage's number when its result changes for the same input: old workspaces then run it again.
VERSIONS = {
    "photos": 1,
    "pairs": 1,
    "features": 1,
    "matches": 1,
    "sfm": 1,
    "dense": 2,
    "mesh": 1,
    "texture": 1,
}

# What each stage reads. Which photos to pair says nothing about their features, and the other way round.
NEEDS: dict[str, tuple[str, ...]] = {
    "photos": (),
    "pairs": ("photos",),
    "features": ("photos",),
    "matches": ("pairs", "features"),
    "sfm": ("matches",),
    "dense": ("sfm",),
    "mesh": ("dense",),
    "texture": ("mesh",),
}

# What the stages make in a workspace, and remove from it.
OWN_NAMES = (
    "photos.json", "images", "masks", "frames", "pairs.txt", "database.db", "features", "live", "sparse", "dense",
    "mesh", "texture",
)  # fmt: skip

# What says where a thing is computed does not change what is computed (within rounding).
NOT_IN_FINGERPRINT = {"device"}


def fingerprint(
    name: str, stage: Stage, workspace: Workspace, settings: StageSettings, before: list[str]
) -> str:
    """SHA-256 over the stage, its version, settings and inputs, and the fingerprints of what it needs."""
    values = {
        key: value for key, value in dataclasses.asdict(settings).items() if key not in NOT_IN_FINGERPRINT
    }
    if values.get("precision") == "auto":  # SIFT's; for networks it is settled before it comes here
        del values["precision"]
    content = [name, VERSIONS[name], values, stage.inputs(workspace, settings), before]
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def run_job(
    workspace: Workspace, settings: JobSettings, progress: Progress, fresh: bool = False, only: str = ""
) -> dict[str, Any]:
    """Run the stages up to `settings.until` and write the report.

    fresh: forget what is there and start again. only: run this one stage, whose predecessors must be done.
    Returns the state. Raises UserError, or Cancelled; either way the workspace can be run again.
    """
    workspace.create()
    with workspace.locked():
        workspace.clear_cancel()
        refuse_foreign(workspace, settings)
        if fresh:
            _forget(workspace)
        job = progress.for_stage("job")
        job.info("started")
        try:
            try:
                _run_stages(workspace, settings, progress, only)
            except OSError as error:
                raise disk_error(error, workspace) from error
        except UserError as error:
            job.emit("error", str(error), exit_code=error.exit_code, remedy=error.remedy)
            error.reported = True
            _write_report(workspace, settings, progress)  # which photos failed, and why, is in there
            raise
        _write_report(workspace, settings, progress)
        state = workspace.read_state()
        for doubt in doubts.of_state(state["stages"]):
            job.warning(doubts.sentence(doubt), doubt=doubt["kind"])
        job.emit("done")
        return state


def refuse_foreign(workspace: Workspace, settings: JobSettings) -> None:
    """UserError (2) where the workspace's folders may be the user's own: what a stage makes, it also removes."""
    ours = [workspace.root / name for name in OWN_NAMES]
    if not workspace.state_file.exists():
        found = next((path for path in ours if path.exists()), None)
        if found is not None:
            raise UserError(
                f"{workspace.root} is no workspace of Recon3D and holds {found.name} already, which would be "
                "overwritten: choose an empty or a new folder with -o.",
                2,
                "results",
            )
    for given in (*settings.photos.photos, settings.photos.masks):
        path = Path(given).resolve() if given else None
        if path and any(own.resolve() == path or own.resolve() in path.parents for own in ours):
            raise UserError(
                f"{given} lies inside the workspace itself: choose another output folder with -o.",
                2,
                "results",
            )


def _run_stages(workspace: Workspace, settings: JobSettings, progress: Progress, only: str) -> None:
    names = STAGES[: STAGES.index(only or settings.until) + 1]
    # All fingerprints first: they ask for the files and weights that a stage wants, and whether it can run
    # here at all, so that the last stage's refusal does not come after an hour's work.
    asked = settings
    if "features" in names:
        settings, chosen = arithmetic.of_job(
            workspace, settings, lambda settled: _begins(workspace, settled, "features")
        )
    prints = _fingerprints(workspace, settings, names)
    write_json(workspace.job, asked.to_json())  # only now that nothing in it is refused
    if "features" in names:
        arithmetic.record(workspace, chosen)
    for name in names:
        progress.check()
        stage, print_of = load_stage(name), prints[name]
        entry = workspace.read_state()["stages"].get(name, {})
        done = entry.get("state") == "done" and entry.get("fingerprint") == print_of
        if done and all(path.exists() for path in stage.outputs(workspace)):
            progress.for_stage(name).emit("done", "unchanged, kept", skipped=True)
        elif only and name != only:
            raise UserError(f"The stage {name} is not done in {workspace.root}: run recon3d {name} first.", 2)
        else:
            same = entry.get("fingerprint") == print_of and not done
            _run_stage(name, stage, workspace, settings, progress.for_stage(name), print_of, same)


def _fingerprints(workspace: Workspace, settings: JobSettings, names: tuple[str, ...]) -> dict[str, str]:
    prints: dict[str, str] = {}
    for name in names:
        before = [prints[need] for need in NEEDS[name]]
        prints[name] = fingerprint(name, load_stage(name), workspace, getattr(settings, name), before)
    return prints


def _begins(workspace: Workspace, settings: JobSettings, name: str) -> bool:
    """Whether the stage would begin anew with these settings, neither kept nor resumed."""
    entry = workspace.read_state()["stages"].get(name, {})
    names = STAGES[: STAGES.index(name) + 1]
    return bool(entry.get("fingerprint") != _fingerprints(workspace, settings, names)[name])


def dependents(name: str) -> tuple[str, ...]:
    """The stages that hang on this one, near or far."""
    found: list[str] = []
    for other in STAGES:
        if any(need == name or need in found for need in NEEDS[other]):
            found.append(other)
    return tuple(found)


def _run_stage(
    name: str,
    stage: Stage,
    workspace: Workspace,
    settings: JobSettings,
    progress: Progress,
    print_of: str,
    resume: bool,
) -> None:
    # Recorded before anything is touched: a kill from here on finds a stage that is not done.
    if not resume:
        # Without a fingerprint: a kill while old results are being removed must not pass for a run to resume.
        workspace.write_stage(name, {"state": "resetting"}, drop=dependents(name))
        stage.reset(workspace)
    workspace.write_stage(name, {"fingerprint": print_of, "state": "started"}, drop=dependents(name))
    progress.emit("progress", "resumed" if resume else "started")
    start = time.monotonic()
    with PeakMemory() as peak:
        summary = stage.run(workspace, getattr(settings, name), progress)
    entry: dict[str, Any] = {
        "fingerprint": print_of,
        "state": "done",
        "seconds": round(time.monotonic() - start, 2),
        "peak_memory_mb": round(peak.bytes / 2**20),
        "summary": summary,
    }
    workspace.write_stage(name, entry)
    progress.emit("done", summary.get("message", ""), **entry)


def _forget(workspace: Workspace) -> None:
    """Remove every result, from the last stage to the first, and nothing that is not ours."""
    for name in reversed(STAGES):
        load_stage(name).reset(workspace)
    for path in (workspace.state_file, workspace.report_json, workspace.report_html):
        remove(path)


def _write_report(workspace: Workspace, settings: JobSettings, progress: Progress) -> None:
    from . import report

    report.write_report(workspace, settings, progress.for_stage("report"))


def disk_error(error: OSError, workspace: Workspace) -> UserError:
    """One sentence for a full disk, a missing permission or any other failure of the file system."""
    import errno

    where = error.filename or workspace.root
    if error.errno in (errno.ENOSPC, errno.EDQUOT if hasattr(errno, "EDQUOT") else errno.ENOSPC):
        free = shutil.disk_usage(_existing(workspace.root)).free / 2**20
        return UserError(
            f"The disk is full ({free:.0f} MB free) while writing {where}: make room and run the same "
            "command again, finished work is kept."
        )
    return UserError(
        f"{where} cannot be read or written ({error.strerror or error}): check it and run the same command "
        "again, finished work is kept."
    )


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


__all__ = ["Cancelled", "fingerprint", "run_job"]
