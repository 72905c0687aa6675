"""Finds other programs, but never in the current folder. Standard library only.

Windows searches the current folder before PATH, and so does `shutil.which` there. The current folder often comes from
somewhere else: that of a .blend file opened by double click, or of photos.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

# Set for a child process; keeps Windows itself from searching the current folder.
NO_CURRENT_FOLDER = {"NoDefaultCurrentDirectoryInExePath": "1"}
_ENDINGS = ".COM;.EXE;.BAT;.CMD"  # extensions of programs on Windows when PATHEXT is not set


def find_program(
    name: str, environ: Mapping[str, str] = os.environ, windows: bool = sys.platform == "win32"
) -> str | None:
    """The absolute path of a program in one of PATH's folders; None if there is none.

    Empty or relative entries of PATH mean the current folder, and are skipped.
    """
    endings = [""]
    if windows:
        known = [ending for ending in (environ.get("PATHEXT") or _ENDINGS).split(";") if ending]
        if not any(name.lower().endswith(ending.lower()) for ending in known):
            endings = known
    for entry in (environ.get("PATH") or "").split(os.pathsep):
        folder = entry.strip('"') if windows else entry
        if not os.path.isabs(folder):
            continue
        for ending in endings:
            path = os.path.join(folder, name + ending)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path
    return None


def absolute_path_list(value: str) -> list[str]:
    """The folders of a PATH or PYTHONPATH, absolute; without empty entries, which mean the current folder."""
    return [str(Path(entry).absolute()) for entry in value.split(os.pathsep) if entry]
