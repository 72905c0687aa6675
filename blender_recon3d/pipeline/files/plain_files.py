"""Open files in untrusted folders: regular files only, never through a link.

A link would redirect writes elsewhere, a pipe would block forever. Standard library only.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def open_plain(path: Path, flags: int, mode: int = 0o644) -> int:
    """A descriptor as from `os.open`. Raises OSError (EINVAL) if the path is a link or not a regular file."""
    if os.path.islink(path):  # for systems without O_NOFOLLOW, and for a clear message on the others
        raise OSError(errno.EINVAL, "it is a link", str(path))
    own = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags & ~os.O_TRUNC | own, mode)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        if flags & os.O_TRUNC:
            os.ftruncate(handle, 0)
    except BaseException:
        os.close(handle)
        raise
    return handle
