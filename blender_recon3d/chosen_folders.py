"""The photo and result folders that the user has chosen on this machine, kept in the extension's own folder.

A .blend from someone else may contain paths to a network share, a named pipe, or a folder of malicious files. So a path
from a file is not accessed, not even to check that it exists, until the user has chosen that path on this machine or
pressed a button that needs it. Paths are compared as text.
"""

from __future__ import annotations

import os
from pathlib import Path

from .pipeline.errors import UserError
from .pipeline.files.atomic_files import read_json, write_json
from .pipeline.files.json_values import items
from .preferences import user_folder

_MAX_PATHS = 500


class _Remembered:
    """The paths known in this session; None until the file has been read."""

    paths: list[str] | None = None


def remember(*chosen: Path | None) -> None:
    """Record what the user has chosen."""
    new = [_text(path) for path in chosen if path is not None]
    if all(path in _paths() for path in new):
        return
    _Remembered.paths = list(dict.fromkeys([*new, *_read(), *_paths()]))[
        :_MAX_PATHS
    ]  # another Blender may have added some
    file = _file()
    if file is None:
        return
    try:
        write_json(file, {"version": 1, "paths": _Remembered.paths})
    except OSError:
        return  # a full disk: remembered for this session only


def is_chosen(*paths: Path | None) -> bool:
    """Whether the user has chosen all of these; False if any is None."""
    return all(path is not None and _text(path) in _paths() for path in paths)


def forget_session() -> None:
    """Read the file again on next use."""
    _Remembered.paths = None


def _text(path: Path) -> str:
    return os.path.normcase(os.path.abspath(path))


def _paths() -> list[str]:
    if _Remembered.paths is None:
        _Remembered.paths = _read()
    return _Remembered.paths


def _read() -> list[str]:
    file = _file()
    if file is None or not file.is_file():
        return []
    try:
        return [path for path in items(read_json(file, "").get("paths")) if isinstance(path, str)][
            :_MAX_PATHS
        ]
    except UserError:
        return []


def _file() -> Path | None:
    folder = user_folder()
    return folder / "chosen.json" if folder else None
