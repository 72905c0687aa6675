"""Open paths from users, .blend files or workspaces, but only regular files. Standard library only.

A path may lead to a named pipe, on which `open` blocks forever, to an endless device, to nowhere, or to itself. Each of
these raises OSError, with a `strerror` for messages.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
from pathlib import Path

CHUNK = 2**20  # bytes read at a time

# Opening must not block if the file was replaced by a pipe after the check, nor acquire a controlling terminal.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_KINDS = (
    (stat.S_ISDIR, "a folder, not a file"),
    (stat.S_ISFIFO, "a named pipe, not a file"),
    (stat.S_ISSOCK, "a socket, not a file"),
    (stat.S_ISCHR, "a device, not a file"),
    (stat.S_ISBLK, "a device, not a file"),
)


class NotAFileError(OSError):
    """A path does not lead to a regular file; `strerror` says what it is."""


def is_path(text: str) -> bool:
    """Whether it is a valid path on this system."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def is_utf8(name: str) -> bool:
    """Whether the name is valid UTF-8: file systems allow any bytes, which Python represents as surrogates."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def check_regular(path: Path) -> os.stat_result:
    """What `stat` says of the file that the path leads to. OSError where there is none, or it is not a regular file."""
    try:
        status = path.stat()
    except FileNotFoundError as error:
        if path.is_symlink():
            raise NotAFileError(errno.ENOENT, "a link to a file that does not exist", str(path)) from error
        raise
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotAFileError(errno.ELOOP, "a link to itself", str(path)) from error
        raise
    except ValueError as error:  # a NUL in the name, or a name that this system cannot spell
        raise NotAFileError(errno.EINVAL, "a name that no file can have", str(path)) from error
    _refuse_others(status, path)
    return status


def open_regular(path: Path) -> io.BufferedReader:
    """The file, opened for binary reading. OSError as in `check_regular`; never blocks."""
    check_regular(path)
    handle = os.open(path, _FLAGS)
    try:
        _refuse_others(os.fstat(handle), path)  # it may have been replaced since
        if hasattr(os, "set_blocking"):
            os.set_blocking(handle, True)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_regular(path: Path, max_bytes: int | None = None) -> bytes:
    """The file's content. OSError as in `check_regular`, and if it has more than `max_bytes` bytes."""
    with open_regular(path) as file:
        content = file.read() if max_bytes is None else file.read(max_bytes + 1)
    if max_bytes is not None and len(content) > max_bytes:
        raise NotAFileError(errno.EFBIG, f"larger than {max_bytes / 2**20:,.0f} MB", str(path))
    return content


def _refuse_others(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = next((text for is_kind, text in _KINDS if is_kind(status.st_mode)), "no file")
        raise NotAFileError(errno.EINVAL, kind, str(path))


def content_hash(path: Path) -> str:
    """SHA-256 of a file; empty if it cannot be read, for which it is reported elsewhere."""
    digest = hashlib.sha256()
    try:
        with open_regular(path) as file:
            while content := file.read(CHUNK):
                digest.update(content)
    except OSError:
        return ""
    return digest.hexdigest()
