"""Runs that this user's Blender started and did not see end, kept in a file in the extension's own folder.

A restarted Blender thus finds a run whose scene was never saved. Losing the file loses no work.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..pipeline.errors import UserError
from ..pipeline.files.atomic_files import read_json, write_json
from ..pipeline.files.regular import is_path
from ..preferences import user_folder

_MAX_RUNS = 20


def remember(workspace: Path, photos: str) -> None:
    """Record a run."""
    entries = [(str(workspace), photos), *((str(f), p) for f, p in remembered() if f != workspace)]
    _write(entries[:_MAX_RUNS])


def forget(workspace: Path) -> None:
    """Remove a run that has ended."""
    entries = remembered()
    if any(folder == workspace for folder, _ in entries):
        _write([(str(folder), photos) for folder, photos in entries if folder != workspace])


def remembered() -> list[tuple[Path, str]]:
    """(workspace, photos) of the runs, newest first."""
    path = _path()
    if path is None or not path.is_file():
        return []
    try:
        raw: Any = read_json(path, "").get("runs")
    except UserError:
        return []
    return [
        (Path(entry["workspace"]), entry["photos"])
        for entry in (raw if isinstance(raw, list) else [])
        if isinstance(entry, dict)
        and isinstance(entry.get("workspace"), str)
        and isinstance(entry.get("photos"), str)
        and is_path(entry["workspace"])
        and is_path(entry["photos"])
    ]


def _write(entries: list[tuple[str, str]]) -> None:
    path = _path()
    if path is None:
        return
    try:
        write_json(path, {"runs": [{"workspace": folder, "photos": photos} for folder, photos in entries]})
    except OSError:
        return  # a full disk: the run itself will report it


def _path() -> Path | None:
    folder = user_folder()
    return folder / "running.json" if folder else None
