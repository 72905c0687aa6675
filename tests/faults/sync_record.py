"""Which files are certain to survive a power cut: those that were synced, under names that were synced too.

A file system may lose whatever has not been synced. So a file counts when it was synced as it is now, and its name when
each folder above it was synced while it had that entry. This says so on every system, without a power cut.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class SyncRecord:
    """What this process has synced since `watching` began."""

    def __init__(self) -> None:
        self.files: dict[int, str] = {}  # digests of the content, by inode
        self.folders: dict[int, dict[str, int]] = {}  # entries' inodes by name, by inode

    def note(self, descriptor: int) -> None:
        """This descriptor was synced."""
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            with os.scandir(descriptor) as entries:
                self.folders[found.st_ino] = {entry.name: entry.inode() for entry in entries}
        else:
            with open(f"/dev/fd/{descriptor}", "rb") as file:
                self.files[found.st_ino] = _digest(file.read())

    def lost(self, root: Path, transient: Callable[[str], bool]) -> list[str]:
        """The files under `root` that a power cut may lose or tear, by their relative names."""
        found = []
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            name = path.relative_to(root).as_posix()
            if not transient(name) and not (self._content(path) and self._names(path, root)):
                found.append(name)
        return found

    def _content(self, path: Path) -> bool:
        return self.files.get(path.stat().st_ino) == _digest(path.read_bytes())

    def _names(self, path: Path, root: Path) -> bool:
        while path != root:
            entries = self.folders.get(path.parent.stat().st_ino, {})
            if entries.get(path.name) != path.stat().st_ino:
                return False
            path = path.parent
        return True


def _digest(content: bytes) -> str:
    """SQLite's counters of changes (sqlite.org/fileformat.html, 1.3) are ignored: opening a file changes them."""
    if content.startswith(b"SQLite format 3\0"):
        content = content[:24] + content[28:92] + content[100:]
    return hashlib.sha256(content).hexdigest()


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
