"""Run an engine command that answers on standard output, such as `inspect` or `doctor`."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..pipeline.documents.event import Event
from ..pipeline.errors import UserError
from ..pipeline.events import read_events
from ..pipeline.files import json_values
from ..pipeline.files.atomic_files import write_json
from ..pipeline.settings import VERSION
from ..pipeline.system.process_group import ProcessGroup, last_words
from ..pipeline.wording import from_json

MAX_ANSWER_BYTES = 16 << 20  # bytes; no command answers with more
POLL_SECONDS = 0.1


class EngineQuery:
    """One command. answer: the object it returned, None until then or after a failure; error: the message then.

    events: received so far, if it answers in events; the last one, of kind "done", holds the answer.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        """Start it. settings: by stage, for --settings: a command line has no room for many photos.

        Raises UserError if the interpreter does not start.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="recon3d-"))
        self._output, self._errors = self._folder / "output.jsonl", self._folder / "errors.txt"
        self._offset = 0
        self.events: list[Event] = []
        self.answer: dict[str, Any] | None = None
        self.error = ""
        self.running = True
        try:
            if settings is not None:
                file = self._folder / "settings.json"
                write_json(file, {"version": VERSION, **settings})
                command = [*command, "--settings", str(file)]
            self._process = ProcessGroup(command, environment, self._output, self._errors)
        except BaseException:
            self._clean()
            raise

    def poll(self) -> bool:
        """Read the output since the last call; True if there is anything new. Never blocks."""
        if not self.running:
            return False
        code = self._process.exit_code()
        events, self._offset = read_events(self._output, self._offset)
        self.events += events
        if code is None:
            return bool(events)
        self._take_answer()
        self._clean()
        return True

    def settle(self) -> None:
        """Block until it has ended."""
        while self.running:
            self.poll()
            time.sleep(POLL_SECONDS)

    def wait(self) -> dict[str, Any]:
        """Block until it has ended and return the answer. Raises UserError with the engine's message."""
        self.settle()
        if self.answer is None:
            raise UserError(self.error)
        return self.answer

    def stop(self) -> None:
        """Kill it and clean up."""
        if self.running:
            self._process.kill()
            self._process.exit_code()
            self._clean()

    def _take_answer(self) -> None:
        if self.events:
            last = self.events[-1]
            if last.kind == "done":
                self.answer = last.data
            else:
                self.error = last.message if last.kind == "error" else self._last_output_line()
            return
        answer = self._read_object()
        if answer is None or "exit_code" not in answer:
            self.answer = answer
        elif error := json_values.text(answer.get("error")):
            self.error = from_json(error, answer.get("parts"))
        if self.answer is None:
            self.error = self.error or self._last_output_line()

    def _read_object(self) -> dict[str, Any] | None:
        """The output, if it is one JSON object."""
        try:
            if self._output.stat().st_size > MAX_ANSWER_BYTES:
                return None
            answer = json.loads(self._output.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return None
        return answer if isinstance(answer, dict) else None

    def _last_output_line(self) -> str:
        last = last_words(self._errors)[0] or "The engine ended without an answer: press Check Engine."
        return last.removeprefix("recon3d: ")[:400]

    def _clean(self) -> None:
        self.running = False
        shutil.rmtree(self._folder, ignore_errors=True)
