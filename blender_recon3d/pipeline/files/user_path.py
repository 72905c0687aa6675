"""Paths given by the user, a settings file or a workspace. Standard library only."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePath, PureWindowsPath

_OF_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")


def user_path(text: str | Path) -> Path:
    """The path with ~ and ~NAME expanded; unchanged if there is no such user or home.

    Path.expanduser would raise RuntimeError, where a missing file should be reported.
    """
    try:
        return Path(os.path.expanduser(text))
    except ValueError:  # a null character
        return Path(text)


def recorded_path(text: str) -> PurePath:
    """A path recorded in a workspace on any system, including Windows: for its name, not for opening."""
    return PureWindowsPath(text) if _OF_WINDOWS.match(text) else PurePath(text)
