"""Make one of the project's own Python environments, with any Python from 3.11 on and nothing else.

    python3 tools/bootstrap.py engine     .venv       the engine and its tests
    python3 tools/bootstrap.py blender    .venv-bpy   Blender as a module (bpy), where this machine can have it
    python3 tools/bootstrap.py lint       .venv-lint  ruff and mypy, without torch

Every package is checked against its sha256 in tools/locks (made by tools/lock_packages.py). pip's own words go to
build/setup-NAME.log; the terminal gets one line a package. Without an NVIDIA card torch comes from pytorch.org's index
of CPU builds (a tenth of the size), or from the usual index where that one cannot be reached.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036  # before what older ones lack is imported
    sys.exit(f"Python {sys.version.split()[0]} is too old: 3.11 or later is needed (make PYTHON=...).")

import argparse
import os
import re
import shutil
import subprocess
import time
import tomllib
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from blender_recon3d.engine_setup import locks, pythons, steps  # noqa: E402  # found by the line above
from blender_recon3d.engine_setup.download_sizes import table  # noqa: E402
from blender_recon3d.engine_setup.error_messages import is_missing  # noqa: E402
from blender_recon3d.engine_setup.package_sources import Sources, arguments, environment, needs_pytorch  # noqa: E402
from blender_recon3d.engine_setup.steps import Step  # noqa: E402
from blender_recon3d.engine_setup.variants import choose, platform_key  # noqa: E402

REACHABLE_WITHIN = 5  # seconds
# pip's lines that say what it is doing, and what the terminal shows of them.
NOTABLE = (
    (re.compile(r"\s*Downloading (\S+?)-\d\S* \((.+)\)"), "downloading {0} ({1})"),
    (re.compile(r"\s*Collecting ([\w.-]+)"), "looking up {0}"),
    (re.compile(r"Installing collected packages: (.+)"), "installing"),
    (re.compile(r"\s*(?:Installing|Getting) (?:build dependencies|requirements)"), "preparing"),
)


class SetupError(Exception):
    """One sentence for the person who typed make."""


@dataclass(frozen=True)
class Environment:
    """folder: below the project. extras: of pyproject.toml, which tools/locks/NAME.txt has locked. check: a statement
    that must run in the result."""

    folder: str
    extras: str
    check: str


ENVIRONMENTS = {
    "engine": Environment(
        ".venv", "engine,photos,setup,test,coverage,reference,lint,build", "import torch, pycolmap"
    ),
    "blender": Environment(".venv-bpy", "bpy,test,build", "import bpy"),
    "lint": Environment(".venv-lint", "lint,types,build", "import mypy"),
}


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bootstrap.py", description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=ENVIRONMENTS)
    name = parser.parse_args(words).name
    unavailable = ROOT / ENVIRONMENTS[name].folder / "unavailable"
    try:
        unavailable.unlink(missing_ok=True)
        make(name)
        return 0
    except SetupError as error:
        print(f"{name}: {error}", file=sys.stderr)
        if name != "blender" or os.environ.get("RECON3D_REQUIRE_BPY"):
            return 1
        # Blender is a convenience here: the engine works without it.
        unavailable.parent.mkdir(exist_ok=True)
        unavailable.write_text(f"{error}\n", "utf-8")
        return 0


def make(name: str) -> None:
    """Make the environment, or bring it up to date; SetupError when that fails."""
    environment = ENVIRONMENTS[name]
    if name == "blender" and not _bpy_has_a_wheel():
        raise SetupError(
            f"there is no bpy for Python {sys.version_info[0]}.{sys.version_info[1]} (there is for 3.11 and 3.13)."
        )
    folder = ROOT / environment.folder
    log = ROOT / "build" / f"setup-{name}.log"
    log.parent.mkdir(exist_ok=True)
    log.unlink(missing_ok=True)
    start = time.monotonic()
    python = _venv(folder, log)
    if _is_locked_for():
        _install_locked(python, name, log)
        _pip(python, ["--no-deps", "--no-build-isolation", "--editable", "."], log, name)
    else:
        print(
            f"{name}: packages are not checked, since the locks are not for this system or Python", flush=True
        )
        _pip(python, ["--editable", f".[{environment.extras}]"], log, name)
    _check(python, environment, log)
    (folder / "ready").touch()
    print(f"{name}: ready in {time.monotonic() - start:.0f} s", flush=True)


def _bpy_has_a_wheel() -> bool:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    version = f"'{sys.version_info[0]}.{sys.version_info[1]}'"
    return any(version in line for line in project["project"]["optional-dependencies"]["bpy"])


def _venv(folder: Path, log: Path) -> Path:
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        shutil.rmtree(folder, ignore_errors=True)
        with open(log, "ab") as file:
            made = subprocess.run([sys.executable, "-m", "venv", folder], stdout=file, stderr=file)
        if made.returncode != 0:
            raise SetupError(
                "the environment cannot be made: install Python's venv (Debian: apt-get install python3-venv). "
                f"See {log}."
            )
    return python


def _is_locked_for() -> bool:
    """Whether the locks have files for this system and Python."""
    return platform_key() in table()["pythons"] and pythons.fits(sys.version_info[:3])


def _install_locked(python: Path, name: str, log: Path) -> None:
    """What the lock has, as it is; where an index does not have one build of torch, the next one."""
    lock = locks.read("", str(ROOT / "tools" / "locks" / f"{name}.txt"))
    ways = [[Step(tuple(entry.line for entry in lock), Sources())]]
    if name == "engine":
        variant = choose()
        if needs_pytorch(Sources(), variant, "pip", os.environ) and not _reachable(variant.index):
            variant = replace(variant, backend="")  # the usual index has a larger one
        print(f"engine: torch for {variant.name} ({variant.reason})", flush=True)
        ways = steps.ways(lock, Sources(), variant, "pip", os.environ)
    for number, way in enumerate(ways, 1):
        try:
            for step in way:
                _pip(python, [*_options(step), "-r", str(_written(step, name))], log, name, _environ(step))
            return
        except SetupError:
            if number == len(ways) or not is_missing(log.read_text("utf-8", "replace"), locks.BUILT_APART):
                raise
            log.rename(log.with_suffix(f".{number}.log"))


def _options(step: Step) -> list[str]:
    checked = ["--no-deps", "--require-hashes"] if step.checked else []
    return ["--only-binary", ":all:", *checked, *arguments("pip", step.sources, os.environ)]


def _environ(step: Step) -> dict[str, str] | None:
    """None for pip's own settings; pytorch.org's builds come from there and nowhere else."""
    if not step.sources.given:
        return None
    clean = environment(step.sources, os.environ, ROOT / "build")
    if "PIP_CACHE_DIR" not in os.environ:
        del clean["PIP_CACHE_DIR"]
    return clean


def _written(step: Step, name: str) -> Path:
    file = ROOT / "build" / f"requirements-{name}.txt"
    file.write_text("".join(f"{line}\n" for line in step.lines), "utf-8")
    return file


def _reachable(index: str) -> bool:
    try:
        with urllib.request.urlopen(f"{index}/torch/", timeout=REACHABLE_WITHIN) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def _pip(python: Path, words: list[str], log: Path, name: str, environ: dict[str, str] | None = None) -> None:
    command = [python, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", *words]
    with open(log, "a", encoding="utf-8", errors="replace") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=file, text=True, errors="replace"
        )
        assert process.stdout is not None
        show = _Line(name)
        for line in process.stdout:
            file.write(line)
            show.line(line)
        show.end()
    if process.wait() != 0:
        last = [line for line in log.read_text("utf-8", "replace").splitlines() if line.startswith("ERROR")]
        raise SetupError(f"{last[-1][7:] if last else 'pip failed'} See {log}.")


class _Line:
    """One line that changes on a terminal; a line for each download elsewhere."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._terminal = sys.stdout.isatty()

    def line(self, text: str) -> None:
        for pattern, form in NOTABLE:
            found = pattern.match(text)
            if found:
                self._show(form.format(*found.groups()), form.startswith(("downloading", "installing")))
                return

    def _show(self, words: str, notable: bool) -> None:
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r{f'{self._name}: {words}'[:width]:<{width}}", end="", flush=True)
        elif notable:
            print(f"{self._name}: {words}", flush=True)

    def end(self) -> None:
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r{'':<{width}}\r", end="", flush=True)


def _check(python: Path, environment: Environment, log: Path) -> None:
    done = subprocess.run([python, "-c", environment.check], capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["no word"]
        with open(log, "a", encoding="utf-8") as file:
            file.write(done.stderr)
        advice = ""
        if environment.check == "import bpy":
            advice = (
                " It needs system libraries (Debian: apt-get install libxkbcommon0 libxrender1 libxi6 libxxf86vm1 "
                "libxfixes3 libsm6 libgl1 libegl1)."
            )
        raise SetupError(f"what was installed does not load ({said[-1]}).{advice}")


if __name__ == "__main__":
    sys.exit(main())
