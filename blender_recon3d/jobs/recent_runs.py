"""Runs that this user's Blender started and did not see end, kept in a file in the extension's own folder.

A restarted Blender thus finds a run whose scene was never saved. Losing the file loses no work.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..pipeline.errors import UserError
from ..pipeline.files.atomic_files import read_json, write_json
from ..pipeline.files.json_values import items
from ..pipeline.files.regular import is_path
from ..preferences import user_folder

_MAX_RUNS = 20
_Run = tuple[Path, str, list[str]]


def remember(workspace: Path, photos: str, names: Sequence[str] = ()) -> None:
    """Record a run. names: the files and folders in `photos` that are used; none: all."""
    others = [entry for entry in remembered() if entry[0] != workspace]
    _write([(workspace, photos, list(names)), *others][:_MAX_RUNS])


def forget(workspace: Path) -> None:
    """Remove a run that has ended."""
    entries = remembered()
    others = [entry for entry in entries if entry[0] != workspace]
    if len(others) < len(entries):
        _write(others)


def remembered() -> list[_Run]:
    """(workspace, photos, names) of the runs, newest first."""
    path = _path()
    if path is None or not path.is_file():
        return []
    try:
        raw: Any = read_json(path, "").get("runs")
    except UserError:
        return []
    return [
        (
            Path(entry["workspace"]),
            entry["photos"],
            [name for name in items(entry.get("names")) if isinstance(name, str) and is_path(name)],
        )
        for entry in (raw if isinstance(raw, list) else [])
        if isinstance(entry, dict)
        and isinstance(entry.get("workspace"), str)
        and isinstance(entry.get("photos"), str)
        and is_path(entry["workspace"])
        and is_path(entry["photos"])
    ]


def _write(entries: list[_Run]) -> None:
    path = _path()
    if path is None:
        return
    try:
        runs = [
            {"workspace": str(folder), "photos": photos, "names": names} for folder, photos, names in entries
        ]
        write_json(path, {"runs": runs})
    except OSError:
        return  # a full disk: the run itself will report it


def _path() -> Path | None:
    folder = user_folder()
    return folder / "running.json" if folder else None
