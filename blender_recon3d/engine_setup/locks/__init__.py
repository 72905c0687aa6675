"""The locks: exact version and sha256 of all installed packages, written by tools/lock_packages.py.

They are in pip's requirements format, which uv reads too: `name==version ; marker --hash=sha256:...`. A torch build
that is not PyPI's has a separate entry, with a local version: 2.13.0+cpu.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...pipeline.errors import UserError
from ...pipeline.files.user_path import user_path
from ..requirements import normalized, pins, versions

_FOLDER = Path(__file__).resolve().parent
_LONGEST = 4 * 2**20  # bytes of a user's own lock
_ENTRY = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[\w.!+-]+)\s*(?:;\s*(?P<marker>.+?))?(?P<hashes>(?:\s+--hash=sha256:[0-9a-f]{64})+)"
)


@dataclass(frozen=True)
class Locked:
    """One package. version: including its local label. marker: where it is needed; empty for everywhere."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]

    @property
    def label(self) -> str:
        """The local label of a build that is not PyPI's, such as "cpu"; empty for PyPI's."""
        return self.version.partition("+")[2]

    @property
    def line(self) -> str:
        """The requirement for pip and uv. Only this build matches: `==2.13.0` alone would accept 2.13.0+cpu."""
        equal = "==" if self.label or self.name not in BUILT_APART else "==="
        where = f" ; {self.marker}" if self.marker else ""
        return f"{self.name}{equal}{self.version}{where}" + "".join(
            f" --hash=sha256:{one}" for one in self.hashes
        )

    def is_for(self, system: str) -> bool:
        """Whether the marker includes this system (a value of sys.platform)."""
        named = re.findall(r"sys_platform == '(\w+)'", self.marker)
        return not named or system in named


# Packages that pytorch.org builds, and packages that its CPU builds do not need.
BUILT_APART = ("torch", "torchvision")
_CUDA = ("nvidia-", "cuda-", "triton")


def needs_card(name: str) -> bool:
    """Whether a package is needed only for PyPI's torch build on Linux, which uses NVIDIA cards."""
    return name.startswith(_CUDA)


def read(name: str = "engine", own: str = "") -> tuple[Locked, ...]:
    """One of the add-on's locks ("engine", "setup"; "photos" and "masks", which can be added) or a path of a user's.

    Raises UserError if a lock is missing, has a line without a checksum, or lacks required packages.
    """
    path = user_path(own) if own else _FOLDER / f"{name}.txt"
    try:
        text = path.read_text("utf-8")[:_LONGEST]
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} cannot be read: choose the lock of your packages (docs/user/engine.md)."
            if own
            else f"{path} is missing: reinstall the add-on.",
            2,
        ) from error
    entries = tuple(_parse(line, path) for line in _lines(text))
    there = {(entry.name, entry.version.partition("+")[0]) for entry in entries}
    for package, version in versions(pins()).items() if name == "engine" else ():
        if (package, version) not in there:
            raise UserError(
                f"{path} does not contain {package}=={version}, which the engine needs: write the lock again.",
                2,
            )
    return entries


def _lines(text: str) -> Iterable[str]:
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        line = line.partition(" #")[0].strip()
        if line and not line.startswith(("#", "--index-url ", "--extra-index-url ", "--find-links ")):
            yield line


def _parse(line: str, path: Path) -> Locked:
    match = _ENTRY.fullmatch(line)
    if not match:
        raise UserError(
            f"{path} is not a lock: every line must be name==version --hash=sha256:..., but one is: "
            f"{line[:80]}",
            2,
        )
    hashes = tuple(re.findall(r"sha256:([0-9a-f]{64})", match["hashes"]))
    return Locked(normalized(match["name"]), match["version"], match["marker"] or "", hashes)
