"""The event stream of a job: progress, messages and the end, one JSON object per line. Standard library only.

The engine writes `events.jsonl` with `Progress`; the add-on and the command line read it with `read_events`.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from .documents.codec import encode
from .documents.event import Event, EventKind
from .errors import Cancelled, Paused
from .files import json_values
from .files.plain_files import open_plain
from .files.regular import open_regular
from .wording import from_json, to_json

KINDS = tuple(EventKind)


class Progress:
    """What a stage reports its progress with. Thread safe.

    sink: called with every event (the file, the terminal, or both).
    cancelled, paused: return True once the user has asked to cancel, or to pause.
    """

    def __init__(
        self,
        sink: Callable[[Event], None] = lambda event: None,
        cancelled: Callable[[], bool] = lambda: False,
        stage: str = "",
        paused: Callable[[], bool] = lambda: False,
    ) -> None:
        self._sink = sink
        self._cancelled, self._paused = cancelled, paused
        self._lock = threading.Lock()
        self._last_report: tuple[int, int, str] | None = None
        self.stage = stage

    def for_stage(self, stage: str) -> Progress:
        return Progress(self._sink, self._cancelled, stage, self._paused)

    def within_item(self) -> Progress:
        """For the work on one item: it reports nothing, and only a cancel stops it, since a pause waits for its end."""
        return Progress(cancelled=self._cancelled, stage=self.stage)

    def emit(self, kind: str, message: str = "", done: int = 0, total: int = 0, **data: Any) -> None:
        with self._lock:
            self._sink(Event(time.time(), self.stage, EventKind(kind), done, total, message, data))

    def update(self, done: int, total: int, message: str = "") -> None:
        """Report `done` of `total` items; raises Cancelled or Paused when the user has asked to stop."""
        self.emit("progress", message, done, total)
        self.check()

    def report(self, done: int, total: int, message: str = "") -> None:
        """As `update`, for polling: never raises, and skips repeated reports."""
        now = (min(done, total), total, message)
        if now != self._last_report:
            self._last_report = now
            self.emit("progress", message, now[0], total)

    def info(self, message: str, **data: Any) -> None:
        self.emit("info", message, **data)

    def warning(self, message: str, **data: Any) -> None:
        self.emit("warning", message, **data)

    def is_cancelled(self) -> bool:
        """Whether the user has asked to stop, also by a pause."""
        return self._cancelled() or self._paused()

    def check(self) -> None:
        """Raises Cancelled or Paused when the user has asked to stop."""
        if self._cancelled():
            raise Cancelled
        if self._paused():
            raise Paused


class PartProgress(Progress):
    """Part of another's work, as if it were all: its items count from `first` on, of `total` in the whole."""

    def __init__(self, whole: Progress, first: int, total: int) -> None:
        super().__init__(cancelled=whole.is_cancelled, stage=whole.stage)
        self._whole, self._first, self._total = whole, first, total

    def emit(self, kind: str, message: str = "", done: int = 0, total: int = 0, **data: Any) -> None:
        if kind == EventKind.PROGRESS:
            done, total = self._first + done, self._total
        self._whole.emit(kind, message, done, total, **data)


def as_line(event: Event) -> str:
    """The event as one line of JSON, without the line break."""
    return json.dumps(encode(replace(event, parts=to_json(event.message))))


def append_event(path: Path, event: Event) -> None:
    """Append one line in a single write, so that lines never mix."""
    line = (as_line(event) + "\n").encode()
    handle = open_plain(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(handle, line)
    finally:
        os.close(handle)


def read_events(path: Path, offset: int = 0) -> tuple[list[Event], int]:
    """The complete events after byte `offset`, and the offset to continue from.

    A missing or irregular file gives nothing; an incomplete line is left for the next call; a line that is not an event
    is skipped, since the file is untrusted.
    """
    try:
        with open_regular(path) as file:
            file.seek(0, os.SEEK_END)
            if file.tell() < offset:  # a new job has replaced the file
                offset = 0
            file.seek(offset)
            block = file.read()
    except OSError:
        return [], 0
    whole = block.rfind(b"\n") + 1
    events = []
    for line in block[:whole].splitlines():
        event = parse_event(line)
        if event is not None:
            events.append(event)
    return events, offset + whole


def parse_event(line: bytes | str) -> Event | None:
    """The event in a line of JSON; None for anything else."""
    try:
        raw = json_values.mapping(json_values.parse(line))
    except ValueError:
        return None
    kind, stage = json_values.text(raw.get("kind")), json_values.text(raw.get("stage"))
    if kind not in KINDS or not stage:
        return None
    return Event(
        time=json_values.number(raw.get("time")),
        stage=stage,
        kind=EventKind(kind),
        done=json_values.whole(raw.get("done"), minimum=0),
        total=json_values.whole(raw.get("total"), minimum=0),
        message=from_json(json_values.text(raw.get("message")), raw.get("parts")),
        data=json_values.mapping(raw.get("data")),
    )
