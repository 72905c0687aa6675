"""Sync written files to disk, so that they survive a power failure. Standard library only.

A rename alone is not enough: most file systems write the new name before the content, and after a power failure the
name refers to a file of zero bytes. So content is synced before the rename, and the folder with the name after it.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

# Errors from file systems that do not support it: network drives, FUSE, some removable disks.
_NOT_POSSIBLE = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF, errno.EROFS}


def sync_file(path: Path) -> None:
    """Return once the file's content is on the disk. OSError if that fails (disk full or failing)."""
    if sys.platform == "win32" and not os.access(path, os.W_OK):
        return  # Windows syncs only what may be written
    descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Return once the names in the folder are on the disk; Windows does this itself and has no call for it."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(path: Path) -> None:
    """Sync a file, or a folder with all its contents; links are not followed."""
    if not path.is_dir() or path.is_symlink():
        if path.is_file():
            sync_file(path)
        return
    for folder, _, names in os.walk(path):
        for name in names:
            file = Path(folder, name)
            if file.is_file() and not file.is_symlink():
                sync_file(file)
        sync_folder(Path(folder))


def _sync(descriptor: int) -> None:
    try:
        if sys.platform == "darwin":
            import fcntl

            try:
                fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # there fsync leaves it in the drive's own memory
                return
            except OSError:
                pass  # not on every file system
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NOT_POSSIBLE:
            raise
