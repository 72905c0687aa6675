"""Cancelling and pausing a run, its log, and its event output."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from ..claim import unwritable
from ..documents.event import Event, EventKind
from ..errors import UserError
from ..events import Progress, as_line
from ..files.plain_files import open_plain
from ..system import startup, worker
from ..system.library_exit import end_at_once
from ..system.streams import Surviving
from ..workspace import Workspace
from .exit_codes import CANCELLED, stop_told

PATIENCE = 4.0  # seconds for a cancelled stage to end on its own
ITEM_PATIENCE = 120.0  # the same for a paused one, which finishes its item first


def real_stderr() -> Any:
    """The terminal, even while file descriptor 2 is redirected to the log."""
    return Surviving(os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace", buffering=1))


def json_sink(event: Event) -> None:
    sys.stdout.write(as_line(event) + "\n")
    sys.stdout.flush()


@contextlib.contextmanager
def errors_as_events(progress: Progress, as_json: bool) -> Iterator[None]:
    """With --json, an error of a command that prints events is one of them, and not a second object."""
    try:
        yield
    except UserError as error:
        if as_json:
            progress.emit("error", error.sentence, exit_code=error.exit_code, remedy=error.remedy)
            error.reported = True
        raise


@contextlib.contextmanager
def log_to(workspace: Workspace) -> Iterator[None]:
    """Redirect everything that libraries write to standard error to log.txt."""
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        log = open_plain(workspace.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    except OSError as error:
        raise unwritable(workspace, error) from error
    os.dup2(log, 2)
    os.close(log)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)


@contextlib.contextmanager
def stoppable(workspace: Workspace, sink: Callable[[Event], None]) -> Iterator[Callable[[], bool]]:
    """A function that returns whether to cancel: after SIGINT, SIGTERM or a `cancel` file in the workspace.

    If a library call does not return within PATIENCE, or within ITEM_PATIENCE after a pause, the process ends: results
    are written atomically, so this costs no more than the current stage (or item).
    """
    asked = threading.Event()
    over = threading.Event()

    def on_signal(number: int, frame: Any) -> None:
        asked.set()

    def watch() -> None:
        end = math.inf
        while time.monotonic() < end:
            cancel = asked.is_set() or workspace.is_cancelled()
            if cancel or workspace.is_paused():
                end = min(end, time.monotonic() + (PATIENCE if cancel else ITEM_PATIENCE))
            if over.wait(0.2):
                return
        message, data = stop_told(paused=not cancel)
        sink(Event(time.time(), "job", EventKind.ERROR, message=message, data=data))
        os._exit(worker.worker_code(CANCELLED))

    # COLMAP installs its own signal handlers when loaded, which must not happen after ours.
    from ..colmap import calls as _colmap  # noqa: F401

    end_at_once()
    before = {number: signal.signal(number, on_signal) for number in startup.STOP_SIGNALS}
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield lambda: asked.is_set() or workspace.is_cancelled()
    finally:
        over.set()
        for number, handler in before.items():
            signal.signal(number, handler)
