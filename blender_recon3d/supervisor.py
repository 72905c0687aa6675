"""Starts the engine as a process of its own, follows its events and ends it. Standard library only, no bpy.

The process leads its own process group, so that it outlives neither a cancel nor its own children, and a Ctrl-C
for Blender does not reach it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .pipeline.events import Event, UserError, read_events
from .pipeline.settings import STAGES
from .pipeline.workspace import Workspace

RUNNING, DONE, FAILED, CANCELLED = "running", "done", "failed", "cancelled"
_CANCELLED_CODE = 3
_GRACE = 15.0  # seconds from a cancel until the process group is ended by force
OUTPUT = "output.txt"  # in the workspace: what the process prints, which matters when it cannot even start


@dataclass(frozen=True)
class JobView:
    """What there is to show of a job.

    done of total: the stage's items. seconds_left: of the stage, as known at `item_began`, the time at which
    `done` last grew; None while unknown.
    """

    state: str = RUNNING
    stage: str = ""
    done: int = 0
    total: int = 0
    message: str = "Starting"
    seconds_left: float | None = None
    stage_began: float = 0.0
    item_began: float = 0.0
    exit_code: int = 0  # once it has ended: 0 done, 1 failed, 2 bad usage or input, 3 cancelled

    def left_at(self, now: float) -> float | None:
        """seconds_left, counted down to a time (time.time()) after the last event."""
        if self.seconds_left is None:
            return None
        return max(0.0, self.seconds_left - max(0.0, now - self.item_began))

    @property
    def fraction(self) -> float:
        """Of the stage, 0 to 1."""
        return min(1.0, max(0.0, self.done / self.total)) if self.total > 0 else 0.0

    @property
    def stage_number(self) -> int:
        """1 for the first stage; 0 before it."""
        return STAGES.index(self.stage) + 1 if self.stage in STAGES else 0


def follow(view: JobView, event: Event) -> JobView:
    """The view after one more event. The end of the job is the process's to tell, not an event's."""
    if event.kind == "error":
        return replace(view, message=event.message, seconds_left=None)
    if event.stage not in STAGES:
        return view
    if event.stage != view.stage:
        view = JobView(stage=event.stage, stage_began=event.time, item_began=event.time)
    if event.kind != "progress":
        return replace(view, message=event.message or view.message)
    view = replace(view, message=event.message)
    if (event.done, event.total) == (view.done, view.total):
        return view
    left = None
    spent = event.time - view.stage_began
    if 0 < event.done < event.total and spent > 1:
        left = spent / event.done * (event.total - event.done)
    return replace(view, done=event.done, total=event.total, seconds_left=left, item_began=event.time)


class EngineJob:
    """One run of the engine in a workspace."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: str | Path) -> None:
        """Start it. Raises UserError when the workspace cannot be made or the interpreter does not start."""
        self.workspace = Workspace(folder)
        self.workspace.create()
        self.view = JobView()
        self._cancelled_at = 0.0
        self._error = ""
        self._offset = self._size_of_events()
        flags = {}
        if sys.platform == "win32":
            flags["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        else:
            flags["start_new_session"] = True
        try:
            with open(self.workspace.root / OUTPUT, "wb") as output:
                self._process = subprocess.Popen(
                    command,
                    env=dict(environment),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    **flags,
                )
        except OSError as error:
            raise UserError(f"The engine does not start ({error}): check the engine's Python.") from error

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> bool:
        """Take in what has happened since the last call; True when `view` has changed. Never blocks."""
        before = self.view
        if self.view.state != RUNNING:
            return False
        code = self._process.poll()  # before the events: whatever an ended process wrote is then there
        events, self._offset = read_events(self.workspace.events, self._offset)
        for event in events:
            self.view = follow(self.view, event)
            if event.kind == "error":
                self._error = event.message
        if code is not None:
            self._end(code)
        elif self._cancelled_at:
            self._insist()
        return self.view != before

    def cancel(self) -> None:
        """Ask the engine to stop; it does within seconds and leaves a workspace that can be resumed."""
        if self.view.state != RUNNING or self._cancelled_at:
            return
        self._cancelled_at = time.monotonic()
        self.workspace.request_cancel()
        if sys.platform != "win32":  # reaches it even before it watches the file; on Windows it would kill
            self._process.terminate()

    def wait(
        self, on_change: Callable[[JobView], None] = lambda view: None, interval: float = 0.1
    ) -> JobView:
        """Block until it has ended. Ctrl-C cancels it, and is raised again once it has ended."""
        interrupted = False
        while self.view.state == RUNNING:
            try:
                if self.poll():
                    on_change(self.view)
                if self.view.state == RUNNING:
                    time.sleep(interval)
            except KeyboardInterrupt:
                interrupted = True
                self.cancel()
        if interrupted:
            raise KeyboardInterrupt
        return self.view

    def _end(self, code: int) -> None:
        if code == 0:
            state, message, exit_code = DONE, "Done", 0
        elif code == _CANCELLED_CODE or self._cancelled_at:
            state, message, exit_code = CANCELLED, "Cancelled: Reconstruct goes on where it stopped.", 3
        else:
            state, message = FAILED, self._error or self._last_words(code)
            exit_code = 2 if code == 2 else 1
        if self._cancelled_at:
            self.workspace.clear_cancel()
        self.view = replace(self.view, state=state, message=message, seconds_left=None, exit_code=exit_code)

    def _insist(self) -> None:
        # The engine clears an old request when it starts, and may have cleared this one.
        if not self.workspace.is_cancelled():
            self.workspace.request_cancel()
        if time.monotonic() - self._cancelled_at < _GRACE:
            return
        if sys.platform == "win32":
            self._process.kill()
        else:
            os.killpg(self._process.pid, signal.SIGKILL)

    def _last_words(self, code: int) -> str:
        """A sentence for a process that ended without a word in the events."""
        path = self.workspace.root / OUTPUT
        with open(path, "rb") as file:
            file.seek(max(0, path.stat().st_size - 4000))
            lines = file.read().decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        for prefix in ("recon3d: ", "error: "):  # the engine's own sentence, said before there were events
            if last.startswith(prefix):
                return last.removeprefix(prefix)
        said = f" ({last[:300]})" if last else ""
        return f"The engine ended with code {code}{said}: see {path}."

    def _size_of_events(self) -> int:
        """Events of earlier runs in the workspace are not this job's."""
        try:
            return self.workspace.events.stat().st_size
        except OSError:
            return 0
