"""Parse the output of pip and uv as progress: megabytes downloaded, then packages installed."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from ..pipeline.events import Progress

_MB = 1e6
_UNITS = {"B": 1.0, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_PIP_FILE = re.compile(r"\s*Downloading (?:\S*/)?([^/\s]+?)-\d[^/\s]*\.whl.*?(?:\(([\d.]+) ?([kKMG]?B)\))?$")
_PIP_RAW = re.compile(r"Progress (\d+) of (\d+)$")
_PIP_INSTALL = re.compile(r"Installing collected packages: (.+)$")
_UV_FILE = re.compile(r"\s*Downloading (\S+) \(([\d.]+)\s*([KMG]?i?B)\)$")
_UV_GOT = re.compile(r"\s*Downloaded (\S+)$")
_UV_INSTALL = re.compile(r"Prepared (\d+) packages?")
_EVERY = 0.5  # seconds between events of the same kind


class Follower:
    """Turns lines into events of the stages "packages" (MB) and "install" (packages).

    total: expected bytes of the whole download, 0 if unknown. installed: counts the packages in the environment.
    spread: bytes that uv has unpacked of its current downloads.
    """

    def __init__(
        self,
        progress: Progress,
        total: int,
        installed: Callable[[], int] = lambda: 0,
        spread: Callable[[], int] = lambda: 0,
    ) -> None:
        self._packages, self._install = progress.for_stage("packages"), progress.for_stage("install")
        self._total = total
        self._installed, self._spread = installed, spread
        self._done = 0.0  # bytes of finished files
        self._file, self._file_done, self._file_total = "", 0.0, 0.0
        self._under_way: dict[str, float] = {}  # uv fetches several at once
        self._to_install, self._there, self._in_place = 0, 0, 0
        self._said, self._last = 0.0, ("", 0, 0)
        self.downloaded = 0.0  # bytes
        self.is_last = (
            True  # whether this is the last run of pip or uv; only then are packages counted as installed
        )

    def line(self, line: str) -> None:
        """Process one line."""
        if match := _PIP_RAW.match(line):
            self._file_done, self._file_total = float(match[1]), float(match[2])
            self._say(force=match[1] == match[2])
        elif match := _PIP_FILE.match(line):  # before uv's, which is less specific
            self._next_file(match[1], _bytes(match[2], match[3]) if match[2] else 0.0)
        elif match := _UV_FILE.match(line):
            self._under_way[match[1]] = _bytes(match[2], match[3])
            self._say(force=True)
        elif match := _UV_GOT.match(line):
            self._done += self._under_way.pop(match[1], 0.0)
            self._say(force=True)
        elif (match := _PIP_INSTALL.match(line)) or (match := _UV_INSTALL.match(line)):
            self._begin_install(int(match[1]) if match[1].isdigit() else len(match[1].split(",")))

    def idle(self) -> None:
        """Update progress from the environment while there is no output."""
        if self._to_install and self.is_last:
            # Never decreasing: pip removes an old version before it installs the new one.
            self._in_place = max(self._in_place, self._installed() - self._there)
            self._install.report(self._in_place, self._to_install, "installing packages")
        elif self._under_way:
            self._say()

    def end(self) -> None:
        """pip or uv has finished successfully."""
        self._finish_file()
        self.downloaded = self._done
        if self._to_install:
            self._install.report(self._to_install, self._to_install, "packages installed")

    def _next_file(self, name: str, size: float) -> None:
        self._finish_file()
        self._file, self._file_done, self._file_total = name, 0.0, size
        self._say(force=True)

    def _finish_file(self) -> None:
        self._done += self._file_total
        self._file, self._file_done, self._file_total = "", 0.0, 0.0

    def _begin_install(self, count: int) -> None:
        self._finish_file()
        self.downloaded = self._done
        self._there = self._installed() - self._to_install
        self._to_install += count
        if self.is_last:
            self._install.report(self._to_install - count, self._to_install, "installing packages")

    def _say(self, force: bool = False) -> None:
        now = time.monotonic()
        if not force and now - self._said < _EVERY:
            return
        self._said = now
        done = self._done + self._file_done
        known = self._done + max(self._file_total, sum(self._under_way.values()))
        total = max(self._total, known) if self._total else 0
        event = (self._message(), round(done / _MB), round(total / _MB))
        if event != self._last:
            self._last = event
            self._packages.emit("progress", *event)

    def _message(self) -> str:
        if self._file:
            return f"downloading {self._file}{_size(self._file_total)}"
        names = sorted(self._under_way, key=lambda name: -self._under_way[name])
        if not names:
            return f"{self._done / _MB:.0f} MB downloaded"
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        unpacked = self._spread() / _MB
        sign = f", {unpacked:.0f} MB of it unpacked" if unpacked >= 1 else ""
        return f"downloading {names[0]}{_size(self._under_way[names[0]])}{others}{sign}"


def _size(count: float) -> str:
    return f" ({count / _MB:.0f} MB)" if count >= _MB else ""


def _bytes(number: str, unit: str) -> float:
    return float(number) * _UNITS[unit.upper()]


def folder_size(folder: Path) -> int:
    """Bytes in a folder that may change meanwhile; 0 if it does not exist."""
    total = 0
    for where, _, names in os.walk(folder):  # unlike rglob, it passes over folders that vanish
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(where, name)).st_size
    return total
