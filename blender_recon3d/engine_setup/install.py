"""Set up or repair the engine's environment: find a tool and a Python, create the environment, install, check.

If it is killed at any moment, the same command continues: complete packages are kept, damaged ones are reinstalled, and
`ready.json` is written last.
"""

from __future__ import annotations

import datetime
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..pipeline.errors import UserError
from ..pipeline.events import Progress
from ..pipeline.files.atomic_files import write_json
from ..pipeline.system.versions import engine_version
from ..pipeline.workspace import Workspace
from . import engine_process, error_messages, integrity, locks, pythons, tools
from . import package_sources as places
from . import target as folder
from .command_runner import Result, Runner
from .download_sizes import forecast, free_space, size_text
from .output import folder_size
from .package_sources import Sources
from .packages import Packages
from .planning import source_problem
from .requirements import normalized, pinned, pins
from .variants import Variant, refine


class Setup:
    """One run. The steps are in the order of `run`."""

    def __init__(
        self,
        target: Path,
        variant: Variant,
        sources: Sources,
        environ: Mapping[str, str],
        progress: Progress,
        runner: Runner,
    ) -> None:
        self.target, self.variant, self.sources = target, variant, sources
        self.lock: tuple[locks.Locked, ...] = ()
        self.cache = target / "cache"
        self.environ = places.environment(sources, environ, self.cache)
        self.progress = progress.for_stage("python")
        self.runner = runner
        self.began = time.monotonic()
        self.downloaded = 0.0

    def run(self) -> None:
        """Run all steps. Raises UserError, Cancelled or OSError; completed work is kept."""
        if problem := source_problem(self.sources):
            raise UserError(problem, 2)
        self.lock = locks.read("engine", self.sources.lock)
        folder.claim(self.target)
        (self.target / engine_process.READY).unlink(missing_ok=True)
        self._begin()
        tool = self._tool()
        python = self._environment(tool)
        tool = self._packages(tool, python)
        findings = self._check(python)
        self._finish(tool, findings)

    def add(self, extra: str) -> None:
        """Add optional packages to a finished environment: those of the lock `extra`. Raises UserError, Cancelled or
        OSError."""
        if problem := source_problem(self.sources):
            raise UserError(problem, 2)
        if folder.state(self.target) != folder.READY:
            raise UserError(f"The engine in {self.target} is not set up: press Set Up Engine first.", 2)
        own = locks.read("engine", self.sources.lock) if self.sources.lock else ()
        known = {entry.name: entry for entry in own}
        self.lock = tuple(known.get(entry.name, entry) for entry in locks.read(extra))
        python = folder.interpreter(self.target)
        tool = self._tool() or self._pip(python)
        self.progress = self.progress.for_stage("packages")
        packages = Packages(
            self.target,
            self.lock,
            self.variant,
            self.sources,
            self.environ,
            self.progress,
            self.runner,
            self._explain,
        )
        packages.add(tool, python)
        folder.delete(self.cache)
        there = folder.installed(self.target)
        for entry in self.lock:
            if entry.is_for(sys.platform) and normalized(entry.name) not in there:
                raise UserError(f"{entry.name} is not made for the engine's Python, so it cannot be added.")
        names = ", ".join(entry.name for entry in self.lock)
        self.progress.for_stage("check").emit("done", f"Added to the engine: {names}")

    # -- stage "python" -----------------------------------------------------------------------------

    def _begin(self) -> None:
        self.variant = refine(self.variant)
        self.runner.note(f"\n== {datetime.datetime.now().astimezone().isoformat(timespec='seconds')}")
        self.runner.note(
            f"Recon3D {engine_version()}, Python {pythons.this_one()}, {self.variant}, {self.sources}"
        )
        self.progress.info(f"torch for {self.variant.name.upper()}: {self.variant.reason}")
        sizes, free = forecast(self.variant), free_space(self.target)
        if sizes is None or free is None or self.sources.given:
            return
        need = sizes.installed - folder_size(self.target)
        if free < need:
            raise UserError(
                f"{size_text(free)} are free in {self.target}, but about {size_text(need)} are needed: free "
                "some space, or choose another folder."
            )

    def _tool(self) -> tools.Tool | None:
        """uv, or None for pip, which depends on the Python."""
        if places.prefers_pip(self.sources, self.environ):
            sources = ", ".join(places.pip_places(self.environ))
            self.progress.info(f"pip is used, since it has configured package sources ({sources})")
            return None
        tool = tools.find_uv(self.target, self.environ)
        if tool is None:
            self.progress.info(f"Fetching {pinned('uv')}")
            tool = self._fetch_uv()
        self.progress.info(f"{tool.text} installs" if tool else "pip is used, since uv is not available")
        return tool

    def _fetch_uv(self) -> tools.Tool | None:
        pip = tools.find_pip(self.environ)
        lines = self._tool_lines("uv")
        if pip is None or lines is None:
            return None
        where = places.arguments("pip", self.sources, self.environ)
        result = self._run(tools.fetch_command(pip, lines, where, self.target / "tools"))
        if result.code and (
            error_messages.is_unreachable(result.text) or error_messages.is_altered(result.text)
        ):
            raise UserError(self._explain(result))
        return tools.find_uv(self.target, self.environ)

    def _tool_lines(self, name: str) -> Path | None:
        """A file with the locked requirement of uv or pip; None if the user's own lock has none."""
        entry = next((entry for entry in (*self.lock, *locks.read("setup")) if entry.name == name), None)
        if entry is None:
            return None
        file = self.cache / f"{name}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{entry.line}\n", "utf-8")
        return file

    def _run(self, command: list[str]) -> Result:
        return self.runner.run(command, self.environ)

    def _environment(self, tool: tools.Tool | None) -> Path:
        """The environment's Python; the environment is kept if it works and is for this torch build."""
        build = f"{self.variant.name}/{self.variant.backend or 'pypi'}"
        python = folder.interpreter(self.target)
        marked = folder.read(self.target / folder.MARKER)
        if marked.get("python") and marked.get("torch") == build:
            interpreter = pythons.probe(str(python), self.environ)
            if interpreter and interpreter.fits and interpreter.text == marked["python"]:
                self.progress.info(f"The environment exists: Python {interpreter.text}")
                return python
        folder.mark(self.target, torch=build)
        folder.clear(self.target)
        self.progress.check()
        result = self._make(tool)
        interpreter = pythons.probe(str(python), self.environ)
        if result.code or interpreter is None or not interpreter.fits:
            raise UserError(self._explain(result))
        folder.mark(self.target, torch=build, python=interpreter.text)
        self.progress.info(f"Environment created with Python {interpreter.text}")
        return python

    def _make(self, tool: tools.Tool | None) -> Result:
        """Create the environment with uv, or with the module venv of a Python that has it."""
        base = next(pythons.usable(self.environ), None)
        if tool:
            environ = {**self.environ, "UV_PYTHON_INSTALL_DIR": str(self.target / "tools" / "python")}
            python = base.path if base else pythons.SPECIFIER
            if base is None:
                self.progress.info(f"This Python is {pythons.this_one()}: uv looks for {pythons.supported()}")
            options = ["--allow-existing", "--no-project", "--python", python]
            options += ["--offline"] if self.sources.offline else []
            return self.runner.run([*tool.command, "venv", *options, str(self.target)], environ)
        base = next((usable for usable in pythons.usable(self.environ) if usable.venv), None)
        if base is None:
            raise UserError(
                f"The engine needs {pythons.supported()} with the module venv, this one is "
                f"{pythons.this_one()}: install a matching Python (Debian and Ubuntu: python3-venv) or uv, "
                "and press Set Up Engine again."
            )
        command = [base.path, "-I", "-m", "venv"]
        if base.ensurepip:
            result = self._run([*command, str(self.target)])
            if result.code == 0:
                return result
            folder.clear(self.target)  # some systems have an ensurepip that does not work
        return self._run([*command, "--without-pip", str(self.target)])

    # -- stages "packages" and "install" ------------------------------------------------------------

    def _packages(self, tool: tools.Tool | None, python: Path) -> tools.Tool:
        damaged = integrity.remove_damaged(self.target)
        if damaged:
            self.progress.info(f"Damaged, will be reinstalled: {', '.join(damaged)}")
        self.progress = self.progress.for_stage("packages")
        tool = tool or self._pip(python)
        packages = Packages(
            self.target,
            self.lock,
            self.variant,
            self.sources,
            self.environ,
            self.progress,
            self.runner,
            self._explain,
        )
        packages.install(tool, python)
        self.downloaded = packages.downloaded
        return tool

    def _pip(self, python: Path) -> tools.Tool:
        """The environment's pip, updated for its progress output, or this Python's pip targeting the environment."""
        own = tools.find_pip(self.environ, str(python))
        if own is None:
            host = tools.find_pip(self.environ)
            if host is None:
                raise UserError(
                    "Neither uv nor pip is available: install one of them (Debian and Ubuntu: python3-pip "
                    "and python3-venv), and press Set Up Engine again."
                )
            return tools.Tool("pip", (*host.command, "--python", str(python)), host.version)
        if not own.raw_progress and (lines := self._tool_lines("pip")):
            where = places.arguments("pip", self.sources, self.environ)
            self._run(tools.fetch_command(own, lines, where))
            own = tools.find_pip(self.environ, str(python)) or own
        return own

    def _explain(self, result: Result) -> str:
        """A message for a failed tool."""
        marked = folder.read(self.target / folder.MARKER)
        where = self.sources.where() or "The index"
        version = str(marked.get("python") or pythons.this_one())
        names = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
        proxy = self.sources.proxy or next(
            (self.environ[name] for name in names if self.environ.get(name)), ""
        )
        return error_messages.explain(result.text, str(self.target), where, version, str(self.log), proxy)

    @property
    def log(self) -> Path:
        return Workspace(folder.work_folder(self.target)).log

    # -- stage "check" ------------------------------------------------------------------------------

    def _check(self, python: Path) -> list[dict[str, Any]]:
        """The doctor's findings in the new environment. Raises UserError if the engine cannot run in it."""
        self.progress = self.progress.for_stage("check")
        self.progress.info("Checking the engine")
        result = self.runner.run(
            engine_process.command(python, ["doctor", "--json"]), engine_process.environment(self.environ)
        )
        text = result.text
        try:
            answer = json.loads(text[text.index("{") : text.rindex("}") + 1])
            findings, able = list(answer["findings"]), bool(answer["able"])
        except (ValueError, KeyError, TypeError) as error:
            last = " ".join(text.split())[-300:]
            raise UserError(
                f"The packages are installed, but the engine does not start ({last}): press Set Up Engine "
                f"again; if that does not help, report the problem with {self.log}."
            ) from error
        missing = [item for item in findings if item["state"] == "missing" and item["needed"]]
        if not able:
            why = "; ".join(f"{item['name']}: {item['found']}" for item in missing)
            raise UserError(
                f"The packages are installed, but the engine cannot run with them ({why}): see {self.log}."
            )
        if self.variant.name == "cuda":
            self._warn_without_card(findings)
        return findings

    def _warn_without_card(self, findings: list[dict[str, Any]]) -> None:
        for item in findings:
            if item["name"] == "CUDA" and item["state"] != "ok":
                self.progress.warning(f"The card is not used ({item['found']}): {item['advice']}")

    def _finish(self, tool: tools.Tool, findings: list[dict[str, Any]]) -> None:
        """Write ready.json as the last step, and then remove the downloads."""
        self.progress.check()
        marked = folder.read(self.target / folder.MARKER)
        ready = {
            "recon3d": engine_version(),
            "requirements": list(pins()),
            "torch": marked.get("torch"),
            "variant": self.variant.name,
            "index": self.sources.where() or "as configured",
            "tool": tool.text,
            "lock": self.sources.lock or "this release's",
            "python": marked.get("python"),
            "packages": folder.installed(self.target),
            "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - self.began, 1),
            "downloaded": round(self.downloaded),
            "findings": findings,
        }
        write_json(self.target / engine_process.READY, ready)
        try:
            folder.delete(self.cache)
        except UserError as error:
            self.progress.warning(str(error))  # the engine is complete anyway
        took = f"{ready['seconds']:.0f} s"
        self.progress.emit(
            "done", f"The engine is set up in {self.target} ({took})", seconds=ready["seconds"]
        )
