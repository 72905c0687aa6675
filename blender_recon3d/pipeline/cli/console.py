"""Progress of a running job on a terminal: one line with a progress bar and the time left."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import TextIO

from ..documents.event import Event
from ..files.json_values import number
from ..job_progress import JobProgress
from ..stage import STAGES, stage
from ..text import duration, printable, rough_duration

BAR = 24


class Console:
    """Event sink for a terminal; for anything else (a file, a pipe) it prints only complete lines."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = (
            self._stream.isatty() and os.environ.get("TERM") != "dumb"
        )  # which does not support escape codes
        self._job = JobProgress()
        self._drawn = 0.0
        self._open = False

    def __call__(self, event: Event) -> None:
        self._job = self._job.after(event)
        if event.kind == "progress":
            self._progress(event)
        elif event.kind == "done" and event.stage == "job" and event.message:
            self._line(printable(event.message))
        elif event.kind == "done" and event.stage not in ("job", "report"):
            took = "" if event.data.get("skipped") else f"  ({duration(number(event.data.get('seconds')))})"
            self._line(f"{event.stage:<9} {printable(event.message)}{took}")
        elif event.kind in ("warning", "error"):
            self._line(f"{event.kind}: {printable(event.message)}")
        elif event.kind == "info" and event.stage != "job":
            self._line(f"{event.stage:<9} {printable(event.message)}")

    def _progress(self, event: Event) -> None:
        now = time.monotonic()
        if not self._live or (now - self._drawn < 0.1 and event.done < event.total):
            return
        self._drawn = now
        text = self._of_job(event) if self._job.names else self._of_items(event)
        self._write("\r" + text[: shutil.get_terminal_size().columns - 1] + "\x1b[K")
        self._open = True

    def _of_job(self, event: Event) -> str:
        """The whole job's bar and time left, then the current step."""
        left = self._job.seconds_left(event.time)
        fraction = self._job.fraction(event.time)
        title = stage(event.stage).title if event.stage in STAGES else event.stage
        count = f" {event.done}/{event.total}" if event.total else ""
        time_left = "" if left is None else f", about {rough_duration(left)} left"
        return f"{_bar(fraction)} {fraction:4.0%}{time_left}  {title}{count}"

    def _of_items(self, event: Event) -> str:
        """The bar for anything but a job, such as a download."""
        message = printable(event.message)
        if not event.total:
            return f"{event.stage:<9} {message}"
        return f"{event.stage:<9} {_bar(event.done / event.total)} {event.done}/{event.total} {message}"

    def _line(self, text: str) -> None:
        self._write(("\r\x1b[K" if self._open else "") + text + "\n")
        self._open = False

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _bar(fraction: float) -> str:
    filled = min(BAR, max(0, round(BAR * fraction)))
    return "█" * filled + "░" * (BAR - filled)
