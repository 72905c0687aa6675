"""One run of the engine in a workspace: started here, or by an earlier Blender and still running."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..pipeline.claim import claim, unwritable
from ..pipeline.documents.event import Event
from ..pipeline.events import read_events
from ..pipeline.files.atomic_files import write_json
from ..pipeline.system.process_group import ProcessGroup, last_words
from ..pipeline.wording import printable_sentence
from ..pipeline.workspace import Workspace
from .job_view import CANCELLED, DONE, FAILED, PAUSED, RUNNING, JobView, follow

_CANCELLED_CODE = 3
_KILLED = (-9, 137)  # by the OOM killer, or manually
_GRACE = 15.0  # seconds from a cancel until the process group is killed
_CANCELLED_TEXT = "Cancelled. Resume continues where it stopped."
_PAUSED_TEXT = "Paused. Resume continues where it stopped."


class Job(ABC):
    """Base class, which handles the events. Subclasses know whether the engine has ended (`_ended`) and stop it."""

    def __init__(self, workspace: Workspace, offset: int) -> None:
        self.workspace = workspace
        self.view = JobView()
        self._cancelled_at = 0.0
        self._pause_asked = False
        self._paused = False  # whether the engine says that a pause was its end
        self._error = ""
        self._offset = offset

    @property
    def cancelling(self) -> bool:
        """Whether a cancel was requested and the job has not ended yet."""
        return bool(self._cancelled_at) and self.view.state == RUNNING

    @property
    def pausing(self) -> bool:
        """Whether a pause was requested and the job has not ended yet."""
        return self._pause_asked and self.view.state == RUNNING

    def poll(self) -> bool:
        """Process the events since the last call; True if `view` has changed. Never blocks."""
        before = self.view
        if self.view.state != RUNNING:
            return False
        ended = self._ended()  # before reading events, so that none of an ended process are missed
        events, self._offset = read_events(self.workspace.events, self._offset)
        for event in events:
            self.view = follow(self.view, event)
            if event.kind == "error":
                self._error = printable_sentence(event.message)
                self._paused = event.data.get("paused") is True
            self._apply_event(event)
        if ended:
            self.view = self._last_view()
            if self._pause_asked and self.view.state != PAUSED:
                self.workspace.clear_pause()
        elif self._cancelled_at:
            self._enforce_cancel()
        elif self._pause_asked:
            self.workspace.request_pause()  # again: the engine clears old requests when it starts
        return self.view != before

    def cancel(self) -> None:
        """Ask the engine to stop, which takes seconds; the workspace can be resumed."""
        if self.view.state != RUNNING or self._cancelled_at:
            return
        self._cancelled_at = time.monotonic()
        self.workspace.request_cancel()

    def pause(self) -> None:
        """Ask the engine to stop after its current items; the workspace can be resumed."""
        if self.view.state == RUNNING and not self._pause_asked:
            self._pause_asked = True
            self.workspace.request_pause()

    def wait(
        self, on_change: Callable[[JobView], None] = lambda view: None, interval: float = 0.1
    ) -> JobView:
        """Block until it has ended. Ctrl-C cancels it, and is re-raised once it has ended."""
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

    def _stopped_view(self) -> JobView:
        """The view of a run that the user has stopped."""
        if self._paused and not self._cancelled_at:
            return replace(self.view, state=PAUSED, message=_PAUSED_TEXT, exit_code=3, remedy="")
        return replace(self.view, state=CANCELLED, message=_CANCELLED_TEXT, exit_code=3, remedy="")

    @abstractmethod
    def _ended(self) -> bool:
        """Whether the engine has ended."""

    @abstractmethod
    def _apply_event(self, event: Event) -> None:
        """Note how the run ends, if a subclass can only learn it from events."""

    @abstractmethod
    def _last_view(self) -> JobView:
        """The view of a run that has ended."""

    def _enforce_cancel(self) -> None:
        # The engine clears an old request when it starts, and may have cleared this one.
        if not self.workspace.is_cancelled():
            self.workspace.request_cancel()


class EngineJob(Job):
    """A run started by this Blender."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: str | Path,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        """Start it. settings: written to the workspace's settings.json, which the command reads.

        Raises UserError if the workspace cannot be created or the interpreter does not start.
        """
        workspace = Workspace(folder)
        workspace.create()
        claim(workspace)  # before anything is written there
        if settings is not None:
            try:
                write_json(workspace.settings, dict(settings))
            except OSError as error:
                raise unwritable(workspace, error) from error
        super().__init__(workspace, _size(workspace.events))  # events of earlier runs are not this job's
        self._process = ProcessGroup(command, environment, workspace.output)

    @property
    def pid(self) -> int:
        return self._process.pid

    def cancel(self) -> None:
        first = self.view.state == RUNNING and not self._cancelled_at
        super().cancel()
        if first:
            self._process.ask_to_end()

    def _ended(self) -> bool:
        return self._process.exit_code() is not None

    def _apply_event(self, event: Event) -> None:
        """Nothing to note: the exit code is known."""

    def _last_view(self) -> JobView:
        code = self._process.exit_code()
        if self._cancelled_at:
            self.workspace.clear_cancel()
        if code == 0:
            return replace(self.view, state=DONE, message=self.view.summary or "Done", exit_code=0, remedy="")
        if code == _CANCELLED_CODE or self._cancelled_at:
            return self._stopped_view()
        message = self._error or self._last_output_line(code or 1)
        remedy = self.view.remedy or ("photos" if code == 2 else "preview" if code in _KILLED else "again")
        return replace(
            self.view, state=FAILED, message=message, exit_code=2 if code == 2 else 1, remedy=remedy
        )

    def _enforce_cancel(self) -> None:
        super()._enforce_cancel()
        if time.monotonic() - self._cancelled_at >= _GRACE:
            self._process.kill()

    def _last_output_line(self, code: int) -> str:
        """A message for a process that ended without one in the events."""
        path = self.workspace.output
        last, own = last_words(path)
        if own:
            return last
        if code in _KILLED:
            return (
                "The engine was killed, probably because memory ran out: close other programs, or retry at preview "
                "quality. Finished work is kept."
            )
        output = f" ({last[:300]})" if last else ""
        return f"The engine ended with code {code}{output}: see {path}."


class FoundJob(Job):
    """A run already in progress in a workspace. Its exit code is unknown; its events show how it ended.

    It is stopped only through the files `cancel` and `pause`: killing a process by a stored id might hit another
    process.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace, 0)
        self._end = ""
        self._exit_code = 1

    def _ended(self) -> bool:
        return self.workspace.lock_owner() is None

    def _apply_event(self, event: Event) -> None:
        if event.stage != "job":
            return
        if event.kind in ("done", "error"):
            self._end = event.kind
            code = event.data.get("exit_code")
            self._exit_code = code if isinstance(code, int) else 1
        elif event.kind == "info" and event.message == "started":
            self._end, self._error, self._paused = "", "", False
            self.view = JobView()

    def _last_view(self) -> JobView:
        if self._end == "done":
            return replace(self.view, state=DONE, message=self.view.summary or "Done", exit_code=0, remedy="")
        if self._exit_code == _CANCELLED_CODE or self._cancelled_at:
            return self._stopped_view()
        message = (
            self._error
            if self._end
            else "Another program ended the engine: press Resume, finished work is kept."
        )
        return replace(
            self.view, state=FAILED, message=message, exit_code=1, remedy=self.view.remedy or "again"
        )


def find_job(folder: str | Path) -> FoundJob | None:
    """The run in progress in the workspace, with its events so far; None if there is none."""
    workspace = Workspace(folder)
    if workspace.lock_owner() is None:
        return None
    job = FoundJob(workspace)
    job.poll()
    return job


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
