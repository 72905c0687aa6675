"""Keeps logs from growing for ever: at the start of a run, what is large goes to a second file, in place of an older
one. Standard library only.
"""

from __future__ import annotations

import os
from pathlib import Path

from .workspace import Workspace

MOST_LOG = 8 << 20  # bytes
MOST_EVENTS = 4 << 20  # some thousand photos' worth


def rotate(workspace: Workspace) -> None:
    """For the holder of the lock, before it writes. Whoever reads on from an offset finds a shorter, new file."""
    _rotate(workspace.log, workspace.old_log, MOST_LOG)
    _rotate(workspace.events, workspace.old_events, MOST_EVENTS)


def _rotate(path: Path, old: Path, most: int) -> None:
    if path.is_file() and not path.is_symlink() and path.stat().st_size > most:
        os.replace(path, old)
