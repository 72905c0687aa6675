"""A path as a person, a settings file or a workspace gives it. Standard library only."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePath, PureWindowsPath

_OF_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")


def user_path(text: str | Path) -> Path:
    """The path with ~ and ~NAME for home folders; as it stands where there is no such user or home.

    Path.expanduser raises RuntimeError there, where a missing file is what is to be told.
    """
    try:
        return Path(os.path.expanduser(text))
    except ValueError:  # a null character
        return Path(text)


def recorded_path(text: str) -> PurePath:
    """A path that a workspace has recorded, on this system or on Windows: for its name, not to be opened."""
    return PureWindowsPath(text) if _OF_WINDOWS.match(text) else PurePath(text)
