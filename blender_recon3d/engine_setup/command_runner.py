"""Run pip, uv and Python as child processes: every line is logged, and a cancel ends them within seconds."""

from __future__ import annotations

import collections
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from ..pipeline.errors import Cancelled, UserError
from ..pipeline.files.plain_files import open_plain
from ..pipeline.system.process_group import GROUP
from .redaction import redact

_KEEPER = Path(__file__).with_name("watchdog.py")
_GRACE = 2.0  # seconds from terminating a process to killing it
_TAIL = 400  # lines of a process's output to keep
_IDLE = 0.2  # seconds between checks of the cancel file


@dataclass(frozen=True)
class Result:
    """The result of a process. text: its last lines, output and errors together."""

    code: int
    text: str


class Runner:
    """Runs processes one after the other. log: the file that all output is appended to."""

    def __init__(self, log: Path, cancelled: Callable[[], bool]) -> None:
        self._log = log
        self._cancelled = cancelled

    def _open_log(self) -> TextIO:
        handle = open_plain(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return os.fdopen(handle, "a", encoding="utf-8", errors="replace")

    def note(self, text: str) -> None:
        """Append our own line to the log."""
        with self._open_log() as log:
            log.write(redact(text) + "\n")

    def run(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        on_line: Callable[[str], None] = lambda line: None,
        on_idle: Callable[[], None] = lambda: None,
    ) -> Result:
        """Run to the end. on_line is called with every line, on_idle several times a second.

        Raises Cancelled once the process has ended after a cancel, UserError if it does not start.
        """
        self.note("\n$ " + subprocess.list2cmdline(command))
        process = self._start(command, environ)
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=_read, args=(process, lines), daemon=True).start()
        tail: collections.deque[str] = collections.deque(maxlen=_TAIL)
        try:
            with self._open_log() as log:
                while True:
                    if self._cancelled():
                        raise Cancelled
                    try:
                        line = lines.get(timeout=_IDLE)
                    except queue.Empty:
                        log.flush()
                        on_idle()
                        continue
                    if line is None:
                        break
                    if not line.startswith("Progress "):
                        log.write(redact(line) + "\n")
                        tail.append(line)
                    on_line(line)
            return Result(process.wait(), "\n".join(tail))
        finally:
            self._end(process)

    def _start(self, command: Sequence[str], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [sys.executable, "-I", str(_KEEPER), *command],
                env=dict(environ),
                # uv reads settings in the current folder and its parents, which are untrusted.
                cwd=self._log.parent,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                **GROUP,
            )
        except OSError as error:
            raise UserError(
                f"{sys.executable} does not start ({error.strerror}): see {self._log}."
            ) from error

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """End it with its children if it is still running, and close its pipes."""
        if process.poll() is None and sys.platform != "win32":
            _signal_group(process, signal.SIGTERM)
            end = time.monotonic() + _GRACE
            while process.poll() is None and time.monotonic() < end:
                time.sleep(0.05)
            _signal_group(process, signal.SIGKILL)  # the rest of the group
        if process.stdin:
            process.stdin.close()  # the keeper ends what is left when this closes
        process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def _read(process: subprocess.Popen[bytes], lines: queue.SimpleQueue[str | None]) -> None:
    assert process.stdout is not None
    with process.stdout as stream:
        for raw in stream:
            lines.put(raw.decode("utf-8", "replace").rstrip("\r\n"))
    lines.put(None)
