"""Runs a job's stages in order, skips finished ones, and leaves a workspace that can be resumed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import doubts, earlier_work, farm, results
from .claim import check_claim, claim, own_paths, unwritable
from .documents.codec import encode
from .documents.state_json import StageRecord, StageState, StateDocument
from .errors import Paused, UserError
from .events import Progress
from .files.atomic_files import remove, write_json
from .files.full_disk import free_bytes, full_disk_told
from .fingerprints import begins, fingerprint, fingerprints, still_valid
from .job_summary import job_summary
from .job_timing import JobTiming
from .log_rotation import rotate
from .reset_results import drop_dependents, remove_hosts, reset, reset_all
from .settings import JobSettings
from .stage import Stage, dependents, guests, up_to
from .stage import stage as stage_of
from .stage_settings import PhotosSettings
from .system.memory import PeakMemory, return_freed_memory
from .wording import OTHER_FOLDER, RESUME, Sentence, run_stage
from .work_items import Items, SharedItems
from .workspace import Workspace


def run_job(
    workspace: Workspace, settings: JobSettings, progress: Progress, fresh: bool = False, only: str = ""
) -> StateDocument:
    """Run the stages up to `settings.until` and write the report.

    fresh: discard all results and start again. only: run this one stage, whose predecessors must be done.
    Returns the state. Raises UserError, or Cancelled; either way the workspace can be run again.
    """
    with held(workspace, settings):
        return run_held_job(workspace, settings, progress, fresh, only)


@contextmanager
def held(workspace: Workspace, settings: JobSettings) -> Iterator[None]:
    """Create and lock the workspace for a run; its files may be written from here on.

    Raises UserError before anything is touched, when the folder is not ours or another run is using it.
    """
    workspace.create()
    check_not_foreign(workspace, settings)
    with workspace.locked():
        try:
            workspace.clear_cancel()
            workspace.clear_pause()
            rotate(workspace)
        except OSError as error:
            raise unwritable(workspace, error) from error
        yield


def run_held_job(
    workspace: Workspace,
    settings: JobSettings,
    progress: Progress,
    fresh: bool = False,
    only: str = "",
    finish: Callable[[], None] = lambda: None,
) -> StateDocument:
    """As `run_job`, for a workspace that is locked already. finish: called before the job is reported as done."""
    job = progress.for_stage("job")
    job.info("started")
    try:
        try:
            with _pause_forgotten(workspace), full_disk_told(workspace.root):
                _run_stages(workspace, settings, progress, only, fresh)
                if not only:
                    _mask_again(workspace, settings, progress)
        except OSError as error:
            raise disk_error(error, workspace) from error
    except UserError as error:
        job.emit("error", error.sentence, exit_code=error.exit_code, remedy=error.remedy)
        error.reported = True
        _write_report(workspace, settings, progress)  # it says which photos failed, and why
        raise
    _write_report(workspace, settings, progress)
    finish()
    state = workspace.read_state()
    for doubt in doubts.of_state(state):
        job.warning(doubts.sentence(doubt), doubt=doubt.kind)
    job.emit("done", job_summary(state))
    return state


@contextmanager
def _pause_forgotten(workspace: Workspace) -> Iterator[None]:
    """A request to pause remains only if it has paused the run: without it, the run counts as interrupted."""
    try:
        yield
    except Paused:
        raise
    except BaseException:
        workspace.clear_pause()
        raise
    workspace.clear_pause()


def check_not_foreign(workspace: Workspace, settings: JobSettings) -> None:
    """Claim the folder; UserError (2) if what a run writes and removes may be the user's own."""
    check_claim(workspace)
    ours = own_paths(workspace)
    for source in (*settings.of(PhotosSettings).sources, settings.of(PhotosSettings).mask_files):
        path = Path(source).resolve() if source else None
        if path and any(own.resolve() == path or own.resolve() in path.parents for own in ours):
            raise UserError(
                Sentence(f"{source} lies inside the workspace itself: ", OTHER_FOLDER, "."),
                2,
                "results",
            )
    claim(workspace)


def begin_shared(
    workspace: Workspace, settings: JobSettings, name: str, progress: Progress, patience: float
) -> tuple[SharedItems, Items] | None:
    """Begin a stage whose items several processes will do, or continue it: lock the workspace, prepare the stage, and
    bring in what is there. Returns its items; None if it is done, or nothing of it is done in items.

    patience: seconds to wait for the lock. Raises UserError as `run_job` does for a single stage.
    """
    workspace.create()
    check_not_foreign(workspace, settings)
    stage = stage_of(name)
    with workspace.locked(patience), full_disk_told(workspace.root):
        settled = _run_stages(workspace, settings, progress, name, False, share=True)
        record = workspace.read_state().stage(name)
        if record.done or stage.left_out(settled.stages[name]):
            return None
        shared = SharedItems(workspace, stage, settled.stages[name], record.fingerprint)
        _prepare(shared, progress.for_stage(name))
        items = shared.open(progress.for_stage(name))  # which may read what only the lock's holder writes
        return (shared, items) if items else None


def _run_stages(
    workspace: Workspace,
    settings: JobSettings,
    progress: Progress,
    only: str,
    fresh: bool,
    share: bool = False,
) -> JobSettings:
    """share: only begin the stage `only`. Returns the settings with all that is decided when a job begins."""
    names = up_to(only or settings.until)
    # All fingerprints first: they check the files and weights that a stage needs, and whether it can run here at all,
    # so that the last stage does not fail after an hour's work.
    asked = settings
    recorded = {} if fresh else still_valid(workspace, settings, names, progress)
    to_record: list[Callable[[], None]] = []
    for stage in map(stage_of, names):
        if stage.settle:

            def from_scratch(settled: JobSettings, name: str = stage.name) -> bool:
                return fresh or begins(workspace, settled, name, recorded)

            settings, call = stage.settle(workspace, settings, from_scratch)
            to_record.append(call)
    prints = fingerprints(workspace, settings, names, recorded)
    if fresh:
        reset_all(workspace)
    write_json(workspace.job, asked.to_json())  # only now that all of it has been accepted
    for call in to_record:
        call()
    timing = JobTiming(workspace, settings, (only,) if only else names, progress.for_stage("job"))
    for name in names:
        progress.check()
        stage, own = stage_of(name), progress.for_stage(name)
        record = workspace.read_state().stage(name)
        if (
            name not in workspace.read_state().stages
            and name != only
            and stage.left_out(settings.stages[name])
        ):
            own.emit("done", "left out", skipped=True)
            continue
        same = record.fingerprint == prints[name]
        done = same and record.done
        damage = _damage(stage, workspace) if done else []
        if done and not damage:
            own.emit("done", "unchanged, kept", skipped=True)
        elif only and name != only:
            why = f"{damage[0]}" if damage else f"The stage {name} is not done in {workspace.root}"
            raise UserError(Sentence(f"{why}: ", run_stage(name, workspace.root), "."), 1 if damage else 2)
        else:
            if damage:
                own.warning(results.sentence(name, damage))
            for broken in damage:
                _remove_below(workspace.root, broken.path)
            if share and name == only:
                _begin_stage(_Turn(stage, workspace, settings, own, prints[name], same))
                break
            if name != names[0]:  # the first stage reads the photos, which the forecast needs
                timing.tell(name)
            _run_stage(_Turn(stage, workspace, settings, own, prints[name], same, bool(damage)))
            if not same:
                timing.took(name, workspace.read_state().stage(name).seconds)
        if not only and name == "sfm" and _rounds_masked(workspace, settings, progress):
            return _run_stages(workspace, asked, progress, only, False)
    timing.learn()
    return settings


def _rounds_masked(workspace: Workspace, settings: JobSettings, progress: Progress) -> bool:
    """Whether masks of a subject that was turned over were drawn, with which all has to be computed again."""
    from .masking.round_masks import settle_rounds

    return settle_rounds(workspace, settings, progress.for_stage("photos"))


def _mask_again(workspace: Workspace, settings: JobSettings, progress: Progress) -> None:
    """Run the stages a second time with masks from the first model, if the job wants them and has none yet."""
    if settings.of(PhotosSettings).masks != "model":
        return
    from .masking.model_masks import are_due, draw_masks

    if are_due(workspace, settings):
        count = draw_masks(workspace, settings, progress.for_stage("photos"))
        progress.for_stage("job").info(
            f"{count} masks were drawn from the model: all is computed again with them."
        )
        _run_stages(workspace, settings, progress, "", False)


def _remove_below(root: Path, path: Path) -> None:
    """Remove a damaged file, unless its path leads out of the workspace through a link."""
    if (path.parent.resolve() / path.name).is_relative_to(root.resolve()):
        remove(path)


def _damage(stage: Stage, workspace: Workspace) -> list[results.Damage]:
    """What is wrong with a finished stage's files."""
    damage = results.damaged(workspace, stage.name)
    if not damage and stage.look_closer:
        damage = stage.look_closer(workspace)
    return damage


@dataclass(frozen=True)
class _Turn:
    """A stage's turn in a job. repair: it was done and has lost some of its files; its dependents stay if the
    files come out the same."""

    stage: Stage
    workspace: Workspace
    settings: JobSettings
    progress: Progress
    fingerprint: str
    resume: bool
    repair: bool = False


def _begin_stage(turn: _Turn) -> None:
    """Up to the point at which the stage's own work can begin."""
    stage, workspace, settings, progress = turn.stage, turn.workspace, turn.settings, turn.progress
    name, resume, repair = stage.name, turn.resume, turn.repair
    if not resume:
        earlier_work.put_aside(name, workspace, progress)
    # Recorded before anything is touched: after a kill from here on, the stage is not done.
    if not resume:
        # Without a fingerprint: a kill while old results are being removed must not look like a run to resume.
        workspace.write_stage(name, StageRecord(state=StageState.RESETTING))
        remove_hosts((name, *dependents(name)), workspace)
    if not repair or guests(name):  # whose files hold the guests' results too
        drop_dependents(name, workspace)
    if not resume:
        reset(stage, workspace)
    workspace.write_stage(name, StageRecord(fingerprint=turn.fingerprint, state=StageState.STARTED))
    progress.emit("progress", "resumed" if resume and not repair else "started")
    with full_disk_told(workspace.root):
        earlier_work.take_back(
            stage,
            workspace,
            lambda other, known: (
                known.fingerprint
                == fingerprint(stage_of(other), workspace, settings.stages[other], known.needs)
            ),
            progress,
        )


def _prepare(shared: SharedItems, progress: Progress) -> None:
    """Everything that a stage's items need, and what is done of them."""
    if shared.stage.prepare:
        shared.stage.prepare(shared.workspace, shared.settings, progress)
    shared.bring_in()


def _run_stage(turn: _Turn) -> None:
    stage, workspace, progress = turn.stage, turn.workspace, turn.progress
    name = stage.name
    before = workspace.read_files(name)
    start = time.monotonic()
    _begin_stage(turn)
    own = turn.settings.stages[name]
    shared = SharedItems(workspace, stage, own, turn.fingerprint)
    return_freed_memory()  # of the stage before
    with PeakMemory() as peak, full_disk_told(workspace.root):
        scheduler = str(vars(own).get("scheduler", ""))
        if stage.items and (scheduler or shared.any_left()):
            _prepare(shared, progress)
            farm.share_out(shared, scheduler, progress)
        summary = stage.run(workspace, own, progress)
        shared.forget()
        files = results.files_of(workspace, name)
        if turn.repair and files != before:
            drop_dependents(name, workspace)
            files = results.files_of(workspace, name)
    record = StageRecord(
        fingerprint=turn.fingerprint,
        state=StageState.DONE,
        seconds=round(time.monotonic() - start, 2),
        peak_memory_mb=round(peak.bytes / 2**20),
        summary=summary,
    )
    workspace.write_stage(name, record, files=files)
    earlier_work.forget(stage, workspace)
    progress.emit("done", summary.get("message", ""), **encode(record))


def _write_report(workspace: Workspace, settings: JobSettings, progress: Progress) -> None:
    from . import report

    report.write_report(workspace, settings, progress.for_stage("report"))


def disk_error(error: OSError, workspace: Workspace) -> UserError:
    """One sentence for a full disk, a missing permission or any other failure of the file system."""
    import errno

    where = error.filename or workspace.root
    if error.errno in (errno.ENOSPC, errno.EDQUOT if hasattr(errno, "EDQUOT") else errno.ENOSPC):
        free = free_bytes(workspace.root) / 2**20
        return UserError(
            Sentence(
                f"The disk is full ({free:.0f} MB free) while writing {where}: free some space and ",
                RESUME,
                "; finished work is kept.",
            )
        )
    return UserError(
        Sentence(
            f"{where} cannot be read or written ({error.strerror or error}): check it and ",
            RESUME,
            ", finished work is kept.",
        )
    )
