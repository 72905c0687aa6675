"""The package installer: uv, found or downloaded, otherwise pip. Nothing is installed into the running Python."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..pipeline.system.programs import find_program

_MIN_UV = (0, 9, 0)  # has --torch-backend for the CUDA versions used
_RAW_PIP = (24, 1)  # has --progress-bar raw


@dataclass(frozen=True)
class Tool:
    """uv or pip. command: how to start it; for pip, without --python."""

    name: str
    command: tuple[str, ...]
    version: str

    @property
    def text(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def raw_progress(self) -> bool:
        """Whether this pip can print its progress in bytes, line by line."""
        return self.name == "pip" and _numbers(self.version) >= _RAW_PIP


def find_uv(target: Path, environ: Mapping[str, str]) -> Tool | None:
    """uv on the path, or one downloaded before; None if none is new enough."""
    name = "uv.exe" if os.name == "nt" else "uv"
    for path in (find_program("uv", environ), str(target / "tools" / "bin" / name)):
        version = _version([path, "--version"], environ) if path and os.path.isfile(path) else None
        if path and version and _numbers(version) >= _MIN_UV:
            return Tool("uv", (path,), version)
    return None


def fetch_command(pip: Tool, requirement: Path, where: list[str], into: Path | None = None) -> list[str]:
    """The command to download a tool, whose sha256 is in the requirement, to a folder or to pip's location."""
    options = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-compile", "--upgrade"]
    options += ["--target", str(into)] if into else []
    return [*pip.command, "install", *options, *where, "-r", str(requirement)]


def find_pip(environ: Mapping[str, str], python: str = sys.executable) -> Tool | None:
    """pip for a Python, either installed or from ensurepip's wheel; None if there is none."""
    module = [python, "-I", "-X", "utf8", "-m", "pip"]
    version = _version([*module, "--version"], environ)
    if version:
        return Tool("pip", tuple(module), version)
    wheel = _bundled_wheel()
    if wheel and python == sys.executable:
        inside = [python, "-I", "-X", "utf8", str(wheel / "pip")]
        version = _version([*inside, "--version"], environ)
        if version:
            return Tool("pip", tuple(inside), version)
    return None


def _bundled_wheel() -> Path | None:
    """pip's wheel in this Python's ensurepip, from which it can be run directly."""
    spec = importlib.util.find_spec("ensurepip")
    if spec is None or not spec.origin:
        return None
    import ensurepip

    elsewhere = getattr(ensurepip, "_WHEEL_PKG_DIR", None)  # of Linux distributions
    for folder in (Path(spec.origin).parent / "_bundled", Path(elsewhere) if elsewhere else None):
        if folder and (wheels := sorted(folder.glob("pip-*.whl"))):
            return wheels[-1]
    return None


def install_command(
    tool: Tool, python: Path, where: list[str], requirements: Path, checked: bool
) -> list[str]:
    """The command to install requirements into the environment of `python`. checked: they are complete, each with its
    sha256."""
    options = ["--only-binary", ":all:"] + (["--require-hashes", "--no-deps"] if checked else [])
    if tool.name == "uv":
        options += ["--python", str(python), "--color", "never"]
        return [*tool.command, "pip", "install", *options, *where, "-r", str(requirements)]
    options.append("--no-warn-script-location")
    if tool.raw_progress:
        options += ["--progress-bar", "raw"]
    return [*tool.command, "install", *options, *where, "-r", str(requirements)]


def _version(command: list[str], environ: Mapping[str, str]) -> str | None:
    try:
        result = subprocess.run(
            command, env=dict(environ), stdin=subprocess.DEVNULL, capture_output=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.match(rb"(?:uv|pip) (\d+(?:\.\d+)+)", result.stdout)
    return match.group(1).decode() if match and result.returncode == 0 else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
