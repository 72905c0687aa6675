"""A process that leads its own process group, so that it and its children can be ended together.

A Ctrl-C for Blender does not reach it, and it continues when Blender ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from ..errors import UserError
from ..events import parse_event
from ..files.plain_files import open_plain
from ..text import printable
from ..wording import printable_sentence

# Popen's options for a process that leads its own group, without a window.
GROUP: dict[str, Any] = (
    {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}  # type: ignore[attr-defined]
    if sys.platform == "win32"
    else {"start_new_session": True}
)


def last_words(output: Path) -> tuple[str, bool]:
    """The last line that a process has printed, and whether it is a sentence of the engine's; "" if there is none.

    With --json the engine prints events; its sentence is then the last error.
    """
    try:
        with open(output, "rb") as file:
            file.seek(max(0, output.stat().st_size - 4000))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        lines = []
    for line in reversed(lines):
        event = parse_event(line)
        if event is not None and event.kind == "error":
            return printable_sentence(event.message), True
    last = printable(next((line.strip() for line in reversed(lines) if line.strip()), ""))
    for prefix in ("recon3d: ", "error: "):
        if last.startswith(prefix):
            return last.removeprefix(prefix), True
    return last, False


def _opened(path: Path) -> IO[bytes]:
    """An emptied file, to which several processes may append; never through a link."""
    return os.fdopen(open_plain(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND), "ab")


class ProcessGroup:
    """A running command. output: a file for its output; errors: a separate one for errors, or None."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        output: Path,
        errors: Path | None = None,
    ) -> None:
        """Start it. Raises UserError when the interpreter does not start or the output cannot be written."""
        try:
            with contextlib.ExitStack() as files:
                self._process = subprocess.Popen(
                    command,
                    env=dict(environment),
                    stdin=subprocess.DEVNULL,
                    stdout=files.enter_context(_opened(output)),
                    stderr=files.enter_context(_opened(errors)) if errors else subprocess.STDOUT,
                    **GROUP,
                )
        except OSError as error:
            if error.filename in (str(output), str(errors)):
                raise UserError(
                    f"{error.filename} cannot be written ({error.strerror}): check its permissions, or "
                    "choose another results folder.",
                    2,
                    "results",
                ) from error
            raise UserError(
                f"The engine does not start ({error}): check the engine's Python.", remedy="engine"
            ) from error

    @property
    def pid(self) -> int:
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs. Also reaps an ended process."""
        return self._process.poll()

    def wait(self) -> None:
        """Until it has ended."""
        self._process.wait()

    def ask_to_end(self) -> None:
        if sys.platform != "win32":  # works even before it watches the cancel file; on Windows it would kill
            self._process.terminate()

    def kill(self) -> None:
        """End it and its child processes immediately."""
        if sys.platform == "win32":
            self._process.kill()
            return
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
