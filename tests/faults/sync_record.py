"""Which files are certain to outlive a power cut: those that were synced, under names that were synced too.

A file system may lose whatever has not been synced. So a file counts when it was synced as it is now, and its name when
each folder above it was synced while it had that entry. This says so on every system, without a power cut.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class SyncRecord:
    """What has been synced in this process since `watching` began."""

    def __init__(self) -> None:
        self.files: dict[int, tuple[int, int]] = {}  # size and time of change, by inode
        self.folders: dict[int, dict[str, int]] = {}  # entries' inodes by name, by inode

    def note(self, descriptor: int) -> None:
        """This descriptor was synced."""
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            with os.scandir(descriptor) as entries:
                self.folders[found.st_ino] = {entry.name: entry.inode() for entry in entries}
        else:
            self.files[found.st_ino] = (found.st_size, found.st_mtime_ns)

    def lost(self, root: Path, transient: Callable[[str], bool]) -> list[str]:
        """The files under `root` that a power cut may lose or tear, by their relative names."""
        found = []
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            name = path.relative_to(root).as_posix()
            if not transient(name) and not (self._content(path) and self._names(path, root)):
                found.append(name)
        return found

    def _content(self, path: Path) -> bool:
        now = path.stat()
        return self.files.get(now.st_ino) == (now.st_size, now.st_mtime_ns)

    def _names(self, path: Path, root: Path) -> bool:
        while path != root:
            entries = self.folders.get(path.parent.stat().st_ino, {})
            if entries.get(path.name) != path.stat().st_ino:
                return False
            path = path.parent
        return True


@contextmanager
def watching(record: SyncRecord, before_replace: Callable[[Path, Path], None]) -> Iterator[None]:
    """Note every os.fsync of this process, and call `before_replace(source, target)` before each os.replace."""
    fsync, replace = os.fsync, os.replace

    def noting(descriptor: int) -> None:
        fsync(descriptor)
        record.note(descriptor if isinstance(descriptor, int) else descriptor.fileno())

    def replacing(source: os.PathLike[str] | str, target: os.PathLike[str] | str) -> None:
        before_replace(Path(source), Path(target))
        replace(source, target)

    os.fsync, os.replace = noting, replacing  # type: ignore[assignment]
    try:
        yield
    finally:
        os.fsync, os.replace = fsync, replace
