"""What a person sees of a running job on a terminal: one line a stage, with a bar and the time left."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TextIO

from ..events import Event
from ..files.json_values import number
from ..pace import Pace
from ..text import duration, printable

BAR = 24


class Console:
    """Event sink for a terminal; on anything else (a file, a pipe) it prints whole lines only."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._pace = Pace()
        self._drawn = 0.0
        self._open = False

    def __call__(self, event: Event) -> None:
        if event.kind == "progress":
            self._progress(event)
        elif event.kind == "done" and event.stage not in ("job", "report"):
            took = "" if event.data.get("skipped") else f"  ({duration(number(event.data.get('seconds')))})"
            self._line(f"{event.stage:<9} {printable(event.message)}{took}")
        elif event.kind in ("warning", "error"):
            self._line(f"{event.kind}: {printable(event.message)}")
        elif event.kind == "info" and event.stage != "job":
            self._line(f"{event.stage:<9} {printable(event.message)}")

    def _progress(self, event: Event) -> None:
        now = time.monotonic()
        self._pace = self._pace.after(event.stage, event.done, event.total, now)
        if not self._live or (now - self._drawn < 0.1 and event.done < event.total):
            return
        self._drawn = now
        message = printable(event.message)
        text = f"{event.stage:<9} {message}"
        if event.total:
            filled = round(BAR * event.done / event.total)
            bar = "█" * filled + "░" * (BAR - filled)
            text = f"{event.stage:<9} {bar} {event.done}/{event.total} {message}{self._left(event, now)}"
        self._write("\r" + text[: shutil.get_terminal_size().columns - 1] + "\x1b[K")
        self._open = True

    def _left(self, event: Event, now: float) -> str:
        left = self._pace.seconds_left(event.done, now)
        return "" if left is None else f", {duration(left)} left"

    def _line(self, text: str) -> None:
        self._write(("\r\x1b[K" if self._open else "") + text + "\n")
        self._open = False

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
