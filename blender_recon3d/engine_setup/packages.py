"""Install the locked packages into the environment with uv or pip, retrying if that may help."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from ..pipeline.errors import UserError
from ..pipeline.events import Progress
from . import error_messages, steps, tools
from . import package_sources as places
from . import target as folder
from .command_runner import Result, Runner
from .download_sizes import forecast
from .locks import BUILT_APART, Locked
from .output import Follower, folder_size
from .package_sources import Sources
from .redaction import redact
from .steps import Step
from .variants import Variant

_LOCKED_TRIES = 3  # on Windows, where a virus scanner may briefly lock a new file


class Packages:
    """environ: of the tools. explain: returns a message for a failed tool. downloaded: bytes, once installed."""

    def __init__(
        self,
        target: Path,
        lock: tuple[Locked, ...],
        variant: Variant,
        sources: Sources,
        environ: dict[str, str],
        progress: Progress,
        runner: Runner,
        explain: Callable[[Result], str],
    ) -> None:
        self.target, self.lock, self.variant, self.sources = target, lock, variant, sources
        self.cache = target / "cache"
        self.environ = environ
        self.progress = progress
        self.runner = runner
        self.explain = explain
        self.downloaded = 0.0

    def install(self, tool: tools.Tool, python: Path) -> None:
        """Install everything into the environment of `python`. Raises UserError."""
        ways = steps.ways(self.lock, self.sources, self.variant, tool.name, self.environ)
        self._announce(tool, ways[0])
        sizes = forecast(self.variant)
        for number, way in enumerate(ways, 1):
            follower = Follower(
                self.progress,
                0 if self.sources.given or sizes is None else sizes.download,
                lambda: len(folder.installed(self.target)),
                lambda: sum(folder_size(path) for path in (self.cache / "uv").glob(".tmp*")),
            )
            result = self._way(way, tool, python, follower)
            if result.code == 0:
                follower.end()
                self.downloaded = follower.downloaded
                return
            if number == len(ways) or not error_messages.is_missing(result.text, BUILT_APART):
                raise UserError(self.explain(result))

    def add(self, tool: tools.Tool, python: Path) -> None:
        """Install the lock's packages, which are none of torch's, into a finished environment. Raises UserError."""
        lines = tuple(entry.line for entry in self.lock if entry.is_for(sys.platform))
        step = Step(lines, self.sources)
        self._announce(tool, [step])
        follower = Follower(
            self.progress,
            0,
            lambda: len(folder.installed(self.target)),
            lambda: sum(folder_size(path) for path in (self.cache / "uv").glob(".tmp*")),
        )
        result = self._way([step], tool, python, follower)
        if result.code:
            raise UserError(self.explain(result))
        follower.end()

    def _announce(self, tool: tools.Tool, way: list[Step]) -> None:
        count = len({line.partition("=")[0] for step in way for line in step.lines})
        where = [word for step in way for word in self._where(step, tool)]
        self.progress.info(
            f"Installing at most {count} packages ({tool.text}); every file is checked against its SHA-256",
            where=redact(" ".join(where)),
        )
        for step in way:
            if not step.checked:
                names = ", ".join(step.lines)
                self.progress.warning(
                    f"This release has no SHA-256 of {names}: the index {step.sources.index} is trusted for "
                    "them"
                )

    def _where(self, step: Step, tool: tools.Tool) -> list[str]:
        return places.arguments(tool.name, step.sources, self.environ)

    def _way(self, way: list[Step], tool: tools.Tool, python: Path, follower: Follower) -> Result:
        for number, step in enumerate(way, 1):
            follower.is_last = number == len(way)
            file = self.cache / f"requirements-{number}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(f"{line}\n" for line in step.lines), "utf-8")
            command = tools.install_command(tool, python, self._where(step, tool), file, step.checked)
            result = self._patiently(command, step, follower, tool.name == "uv")
            if result.code:
                break
        return result

    def _patiently(self, command: list[str], step: Step, follower: Follower, uv: bool) -> Result:
        """Run it, retrying if that may help."""
        for attempt in range(_LOCKED_TRIES):
            result = self._run(command, step, follower)
            untrusted = uv and result.code and error_messages.is_untrusted(result.text)
            if untrusted and "UV_SYSTEM_CERTS" not in self.environ:
                # A company's own certificate is in the system's store, which pip uses by default and uv does not.
                self.environ["UV_SYSTEM_CERTS"] = "1"
                result = self._run(command, step, follower)
            held = any(
                word in result.text for word in ("WinError 32", "WinError 5]", "os error 32", "os error 5)")
            )
            if result.code == 0 or not held or sys.platform != "win32" or attempt == _LOCKED_TRIES - 1:
                break
            self.progress.warning("Another program, probably a virus scanner, has a file open: trying again")
            time.sleep(3)
        return result

    def _run(self, command: list[str], step: Step, follower: Follower) -> Result:
        environ = self.environ
        if step.sources != self.sources:
            environ = places.environment(step.sources, environ, self.cache)
        return self.runner.run(command, environ, follower.line, follower.idle)
