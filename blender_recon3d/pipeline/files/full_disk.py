"""Whether a failure is that of a full disk, whatever the library that met it said. Standard library only."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import Cancelled, UserError

# Libraries fail before the last byte is written, and remove what they had; less than this is full.
LITTLE = 8 * 2**20  # bytes


def free_bytes(path: Path) -> int:
    """What may still be written where `path` is, or will be; a large number where the system does not say."""
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
    """Failures of the block become OSError (ENOSPC) where the disk is full: COLMAP tells of anything but that.

    To be asked before what the block has written is removed. Usage errors (exit code 2) stay as they are.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None and is_full(path):  # raised by a library without saying what it met
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
