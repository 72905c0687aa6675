"""A lock for packages that are not PyPI's files: a studio's own builds, or packages repacked by its index."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path

from ...pipeline.errors import UserError
from ..requirements import normalized
from . import Locked

_WHEEL = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)(?:-\d[^-]*)?-[^-]+-[^-]+-[^-]+\.whl")


def with_wheels(lock: tuple[Locked, ...], folder: Path) -> tuple[Locked, ...]:
    """The lock with the checksums of all wheels in a folder and its subfolders.

    Wheels of other versions than the lock's are skipped; wheels missing in the lock are added, since a torch build may
    need them. Raises UserError if there are no wheels.
    """
    entries = {(entry.name, entry.version): entry for entry in lock}
    versions: dict[str, set[str]] = {}
    for entry in lock:
        versions.setdefault(entry.name, set()).add(entry.version.partition("+")[0])
    wheels = sorted(folder.rglob("*.whl"))
    for path in wheels:
        match = _WHEEL.fullmatch(path.name)
        if not match:
            continue
        name = normalized(match["name"])
        version = match["version"].replace("_", "+", 1) if "+" not in match["version"] else match["version"]
        if version.partition("+")[0] not in versions.get(name, {version.partition("+")[0]}):
            continue
        there = entries.get((name, version), Locked(name, version, "", ()))
        entries[name, version] = replace(there, hashes=tuple(dict.fromkeys((*there.hashes, _sha256(path)))))
    if not wheels:
        raise UserError(f"{folder} contains no wheels: name the folder with your packages.", 2)
    return tuple(entries[key] for key in sorted(entries))


def text(lock: tuple[Locked, ...]) -> str:
    """The lock as file content."""
    return "".join(f"{entry.line.replace('===', '==', 1)}\n" for entry in lock)


def _sha256(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).", 2) from error
