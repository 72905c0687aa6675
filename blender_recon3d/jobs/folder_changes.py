"""Notice that photos were added to the chosen folders, or taken out: the panel then looks at them again.

The folders' dates are read in a thread, since a network drive may be slow, and never while drawing. No bpy.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path

EVERY = 3.0  # seconds between two looks
MOST = 200  # folders that are looked at

Stamp = tuple[tuple[str, int], ...]


def stamp(sources: Iterable[Path], workspace: Path) -> Stamp:
    """The folders and files with the dates on which they changed: a folder changes when a file in it comes or goes.

    workspace: its own folder does not count.
    """
    dates: list[tuple[str, int]] = []
    pending = [str(source) for source in sources]
    while pending and len(dates) < MOST:
        path = pending.pop()
        try:
            dates.append((path, os.stat(path).st_mtime_ns))
            if os.path.isdir(path):
                with os.scandir(path) as entries:
                    inside = sorted(
                        entry.path
                        for entry in entries
                        if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
                    )
                pending += [folder for folder in inside if Path(folder) != workspace]
        except OSError:
            dates.append((path, 0))  # gone, or not readable
    return tuple(dates)


class FolderChanges:
    """Watches folders from a timer."""

    def __init__(self, sources: tuple[Path, ...], workspace: Path) -> None:
        self._sources, self._workspace = sources, workspace
        self._first: Stamp | None = None
        self._last: Stamp | None = None
        self._thread: threading.Thread | None = None
        self._next = 0.0
        self._changed = False

    def poll(self) -> bool:
        """Whether something has changed since the first look, and nothing since the last: copying has ended.

        Never blocks. Looks at the folders every few seconds.
        """
        if self._thread is not None and not self._thread.is_alive():
            self._thread = None
            return self._changed
        if self._thread is None and time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY
            self._changed = False
            self._thread = threading.Thread(target=self._look, name="recon3d folders", daemon=True)
            self._thread.start()
        return False

    def _look(self) -> None:
        now = stamp(self._sources, self._workspace)
        if self._first is None:
            self._first = now
        self._changed = now != self._first and now == self._last
        self._last = now
