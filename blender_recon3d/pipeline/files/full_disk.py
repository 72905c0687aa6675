"""Detect whether a failure was caused by a full disk, whatever the library reported. Standard library only."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import Cancelled, UserError

# Libraries fail before the last byte is used, and remove their output; less free space than this counts as full.
LITTLE = 8 * 2**20  # bytes


def free_bytes(path: Path) -> int:
    """Free space for writing at `path`; a large number if the system does not report it."""
    while not path.exists() and path != path.parent:
        path = path.parent
    try:
        return shutil.disk_usage(path).free
    except OSError:
        return 2**62


def is_full(path: Path) -> bool:
    return free_bytes(path) < LITTLE


@contextmanager
def full_disk_told(path: Path) -> Iterator[None]:
    """Turn failures of the block into OSError (ENOSPC) if the disk is full, which COLMAP does not report.

    Use before the block's output is removed. Usage errors (exit code 2) are not changed.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None and is_full(path):  # raised by a library without the cause
            raise disk_full(path) from error
        raise
    except Cancelled:
        raise
    except UserError as error:
        if error.exit_code != 2 and is_full(path):
            raise disk_full(path) from error
        raise
    except Exception as error:
        if is_full(path):
            raise disk_full(path) from error
        raise


def disk_full(path: Path) -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
