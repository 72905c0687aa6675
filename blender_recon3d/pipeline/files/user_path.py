"""A path as a person or a settings file gives it. Standard library only."""

from __future__ import annotations

import os
from pathlib import Path


def user_path(text: str | Path) -> Path:
    """The path with ~ and ~NAME for home folders; as it stands where there is no such user or home.

    Path.expanduser raises RuntimeError there, where a missing file is what is to be told.
    """
    try:
        return Path(os.path.expanduser(text))
    except ValueError:  # a null character
        return Path(text)
