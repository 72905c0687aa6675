"""Write files and folders atomically, copy and remove them. Standard library only."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..wording import RESUME, Part, Sentence
from . import json_values
from .durable import sync_file, sync_folder, sync_tree
from .full_disk import full_disk_told
from .regular import read_regular

PART = ".part"  # suffix of files being written


@contextmanager
def atomic_file(path: Path, lasting: bool = True) -> Iterator[Path]:
    """A temporary path beside `path`, renamed to it if the block succeeds, and otherwise removed.

    lasting: synced to disk before it returns; False for files that only the current run needs.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + PART)
    try:
        with full_disk_told(part):
            yield part
        if lasting:
            sync_file(part)
        os.replace(part, path)
        if lasting:
            sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """An empty folder beside `path`, removed at the end; leftovers of a killed run are removed first."""
    part = path.with_name(path.name + PART)
    remove(part)
    part.mkdir(parents=True)
    try:
        with full_disk_told(part):
            yield part
    finally:
        remove(part)


@contextmanager
def atomic_folder(path: Path, lasting: bool = True) -> Iterator[Path]:
    """A scratch folder that replaces `path` if the block succeeds; `lasting` as for atomic_file."""
    with scratch_folder(path) as part:
        yield part
        if lasting:
            sync_tree(part)
        remove(path)
        os.replace(part, path)
        if lasting:
            sync_folder(path.parent)


def write_json(path: Path, value: Any, lasting: bool = True) -> None:
    with atomic_file(path, lasting) as part:
        part.write_text(json.dumps(value, indent=1) + "\n", "utf-8")


def read_json(path: Path, advice: str | Part) -> dict[str, Any]:
    """A JSON object; UserError with the advice if the file is missing or invalid."""
    try:
        value = json_values.parse(read_regular(path, json_values.MAX_BYTES))
    except FileNotFoundError as error:
        raise UserError(Sentence(f"{path} is missing: ", advice, ".")) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(Sentence(f"{path} cannot be read ({reason}): ", advice, ".")) from error
    if not isinstance(value, dict):
        raise UserError(Sentence(f"{path} is not valid: ", advice, "."))
    return value


def remove(path: Path) -> None:
    """Remove a file or a folder if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_with_part(path: Path) -> None:
    """Remove a file or a folder, and what a killed run left of its next version."""
    remove(path)
    remove(path.with_name(path.name + PART))


def clone_or_copy(source: Path, target: Path) -> None:
    """A copy that shares its blocks with the source if the file system can (Btrfs, XFS, bcachefs), otherwise a plain
    one, written atomically.

    Never a hard link: editing the source in place would change the input of a running job. Raises UserError if the
    source changes meanwhile.
    """
    with atomic_file(target) as part, open(source, "rb") as reading, open(part, "wb") as writing:
        before = os.fstat(reading.fileno())
        if not _clone(reading.fileno(), writing.fileno()):
            shutil.copyfileobj(reading, writing, 2**20)
        after = os.fstat(reading.fileno())
        writing.flush()
        same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
        if not same or os.fstat(writing.fileno()).st_size != before.st_size:
            raise UserError(Sentence(f"{source} changed while it was being copied: ", RESUME, "."))


def _clone(source: int, target: int) -> bool:
    """Linux' FICLONE between two open files; returns whether it succeeded."""
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        fcntl.ioctl(target, 0x40049409, source)
    except OSError:
        return False
    return True


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link if the file system supports it, otherwise a copy, written atomically."""
    # Windows does not remove links to read-only files, so the workspace could not be cleaned up.
    linkable = os.name != "nt" or os.access(source, os.W_OK)
    with atomic_file(target) as part:
        part.unlink(missing_ok=True)
        try:
            if not linkable:
                raise OSError
            os.link(source.resolve(), part)
        except OSError:
            shutil.copyfile(source, part)
