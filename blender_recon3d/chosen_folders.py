"""Which photos and results this user has chosen on this machine: a small file in the extension's own folder.

A .blend file from somebody else names paths, too: a share of another machine, a named pipe, a folder full of files that
were made to be looked at. So nothing at a path that a file names is touched, not even to see whether it is there,
before the user has chosen that very path here or has pressed a button that needs it. Paths are compared as text.
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
    """What is known in this session; None before the file has been read."""

    paths: list[str] | None = None


def remember(*chosen: Path | None) -> None:
    """Note what the user has chosen."""
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
        return  # a full disk: it holds for this session


def is_chosen(*paths: Path | None) -> bool:
    """Whether the user has chosen all of these; None is nobody's path."""
    return all(path is not None and _text(path) in _paths() for path in paths)


def forget_session() -> None:
    """Read the file again when next asked."""
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
