"""`recon3d run` and the stage commands: the job in a child process, and all the ways it can end."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from ..claim import is_ours
from ..documents.event import Event, EventKind
from ..errors import Cancelled, Paused, UserError
from ..events import Progress, append_event
from ..files.user_path import user_path
from ..settings import JobSettings
from ..stage_settings import PhotosSettings, SfmSettings
from ..system import worker
from ..system.child import end_with_parent
from ..system.shortage import out_of_memory
from ..workspace import Workspace
from .console import Console
from .exit_codes import BAD_USAGE, CANCELLED, CANCELLED_TEXT, DONE, FAILED, NO_MEMORY_TEXT, stop_told
from .running import json_sink, log_to, real_stderr, stoppable
from .setting_options import job_settings
from .shard import run_shard

# For an import: the cameras are not changed, and every photo with a camera is used.
ALIGNMENT_OPTIONS = {"until": "sfm", "refine": "off", "keep_blurred": True, "keep_copies": True}


def run(chosen: argparse.Namespace) -> int:
    workspace = Workspace(chosen.output)
    if not worker.is_worker():
        return _run_guarded(chosen, workspace)
    end_with_parent()
    only = getattr(chosen, "only", "")
    show: Callable[[Event], None] = json_sink if chosen.json else Console(real_stderr())
    if getattr(chosen, "shard", None):
        return run_shard(chosen, workspace, show)

    def sink(event: Event) -> None:
        with contextlib.suppress(OSError):  # a full disk is reported on the terminal by what follows
            append_event(workspace.events, event)
        show(event)

    try:
        exports = _checked_exports(chosen, workspace)
        settings = job_settings(workspace, chosen, only)
        if not workspace.root.exists():
            _check_sources(settings)
        _check_alignment(settings)
        from ..job import held  # imports numpy and more, which may already fail for lack of memory

        # Locked before anything is written: a user's folder, or another run's, stays unchanged.
        with held(workspace, settings), stoppable(workspace, sink) as cancelled, log_to(workspace):
            progress = Progress(sink, cancelled, "job", workspace.is_paused)

            def finish() -> None:
                _write_exports(workspace, exports, progress)

            return _run_reporting(workspace, settings, progress, chosen.fresh, only, finish)
    except UserError as error:  # refused before it started: nothing to add to another run's events
        data = {"remedy": error.remedy, "exit_code": error.exit_code}
        show(Event(time.time(), "job", EventKind.ERROR, message=error.sentence, data=data))
        return error.exit_code


def bring(chosen: argparse.Namespace) -> int:
    """`recon3d import`: a run up to the cameras, which are taken unchanged from another program."""
    project = user_path(chosen.project).absolute()
    chosen.alignment = str(project)
    chosen.photos = [chosen.folder or str(project if project.is_dir() else project.parent)]
    for option, value in ALIGNMENT_OPTIONS.items():
        if getattr(chosen, option) is None:
            setattr(chosen, option, value)
    return run(chosen)


def _checked_exports(chosen: argparse.Namespace, workspace: Workspace) -> list[Path]:
    """The files of --export, which make texture the last stage; UserError if one of them cannot be exported."""
    paths = [user_path(name) for name in getattr(chosen, "export", None) or ()]
    if paths:
        from ..exporting.export_mesh import check_export

        for path in paths:
            check_export(path, workspace)
        if (chosen.until or "texture") != "texture":
            raise UserError("--export writes the textured mesh: remove --until.", BAD_USAGE)
        chosen.until = "texture"
    return paths


def _check_sources(settings: JobSettings) -> None:
    """UserError (2) if photos do not exist: a typing error must not leave a new workspace behind."""
    for source in settings.of(PhotosSettings).sources:
        path = user_path(source).absolute()
        if not path.exists():
            raise UserError(f"{path} does not exist: give a folder of photos, photo files or a video.", 2)


def _check_alignment(settings: JobSettings) -> None:
    """UserError if the project of another program does not exist or is of no known format, before photos are read."""
    alignment = settings.of(SfmSettings).alignment
    if alignment:
        from ..alignments.read_alignment import reader_of

        reader_of(user_path(alignment))


def _write_exports(workspace: Workspace, paths: list[Path], progress: Progress) -> None:
    """Write the files of --export; an error counts as the job's, which then ends with the exit code."""
    from ..exporting.export_mesh import export

    for path in paths:
        try:
            written = ", ".join(str(file) for file in export(workspace, path))
        except UserError as error:
            progress.emit("error", error.sentence, exit_code=error.exit_code, remedy=error.remedy)
            error.reported = True
            raise
        progress.for_stage("export").info(written)


def _run_guarded(chosen: argparse.Namespace, workspace: Workspace) -> int:
    """Do the work in a child process; if that ends without a message, report it as an event and on the terminal."""
    end = worker.run_worker(chosen.arguments, workspace.log)
    if end.exit_code is not None:
        return end.exit_code
    code = CANCELLED if end.stopped else FAILED
    if end.stopped:
        sentence, remedy = CANCELLED_TEXT, "again"
    else:
        sentence, remedy = worker.crash_sentence(end, workspace.root, workspace.log)
    event = Event(
        time.time(), "job", EventKind.ERROR, message=sentence, data={"remedy": remedy, "exit_code": code}
    )
    # Not if the worker was refused: the folder, or the run in progress there, belongs to someone else.
    with contextlib.suppress(OSError):  # the disk may be what is full
        if is_ours(workspace) and workspace.lock_owner() is None:
            append_event(workspace.events, event)
    (json_sink if chosen.json else Console())(event)
    return code


def _run_reporting(
    workspace: Workspace,
    settings: JobSettings,
    progress: Progress,
    fresh: bool,
    only: str,
    finish: Callable[[], None],
) -> int:
    """Run the job and turn every way it can end into an event and an exit code."""
    from ..job import disk_error, run_held_job

    try:
        run_held_job(workspace, settings, progress, fresh=fresh, only=only, finish=finish)
        return DONE
    except UserError as error:
        if not error.reported:
            raise
        return error.exit_code
    except Cancelled as stop:
        message, data = stop_told(isinstance(stop, Paused))
        progress.emit("error", message, **data)
        return CANCELLED
    except OSError as error:
        progress.emit("error", disk_error(error, workspace).sentence, exit_code=FAILED)
        return FAILED
    except Exception as error:  # last resort: the user gets a message, the log the traceback
        import traceback

        traceback.print_exc()
        if out_of_memory(error):
            progress.emit("error", NO_MEMORY_TEXT, exit_code=FAILED, remedy="preview")
            return FAILED
        text = (
            f"An unexpected error ({type(error).__name__}: {error}): please report it with {workspace.log}."
        )
        progress.emit("error", text, exit_code=FAILED, remedy="log")
        return FAILED
