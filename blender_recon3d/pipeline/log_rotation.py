"""Keeps logs from growing forever: at the start of a run, a large one is renamed and replaces the older one. Standard
library only.
"""

from __future__ import annotations

import os
from pathlib import Path

from .workspace import Workspace

MAX_LOG_BYTES = 8 << 20  # bytes
MAX_EVENTS_BYTES = 4 << 20  # some thousand photos' worth


def rotate(workspace: Workspace) -> None:
    """Called by the holder of the lock before it writes. A reader at some offset finds a shorter, new file."""
    _rotate(workspace.log, workspace.old_log, MAX_LOG_BYTES)
    _rotate(workspace.events, workspace.old_events, MAX_EVENTS_BYTES)


def _rotate(path: Path, old: Path, max_bytes: int) -> None:
    if path.is_file() and not path.is_symlink() and path.stat().st_size > max_bytes:
        os.replace(path, old)
