"""Decides whether the results folder is ours. Nothing in a foreign folder is written, emptied or removed. Standard
library only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from .errors import UserError
from .files.atomic_files import PART
from .files.plain_files import open_plain
from .stage import all_stages
from .workspace import Workspace


def claim(workspace: Workspace, names: Iterable[str] = ()) -> None:
    """Make an existing folder a workspace unless it already is one. Arguments and errors as in `check_claim`."""
    if not check_claim(workspace, names):
        try:
            _mark(workspace)
        except OSError as error:
            raise unwritable(workspace, error) from error


def check_claim(workspace: Workspace, names: Iterable[str] = ()) -> bool:
    """Whether the folder already is a workspace; if it is not, check that it may become one.

    names: what will be written there; by default everything that a workspace holds. Raises UserError (2) when one of
    them exists and is not ours, or is a link.
    """
    targets = [workspace.root / name for name in names] or own_paths(workspace)
    try:
        ours = is_ours(workspace)
        link = next((path for path in targets if path.is_symlink()), None)
        if link is not None:
            raise UserError(
                f"{link} is a link, but results are written only to plain files and folders: remove it, or "
                "choose another results folder.",
                2,
                "results",
            )
        if ours:
            return True
        existing = next((path for path in targets if path.exists()), None)
        if existing is not None:
            raise UserError(
                f"{workspace.root} is not a Recon3D workspace but already contains {existing.name}, which "
                "would be overwritten: choose an empty or new folder for the results.",
                2,
                "results",
            )
        return False
    except OSError as error:
        raise unwritable(workspace, error) from error


def own_paths(workspace: Workspace) -> list[Path]:
    """Everything that is ever written directly into the workspace's folder, including temporary names."""
    paths = [path for path in vars(workspace).values() if isinstance(path, Path)]
    owned = [path for each in all_stages() for path in each.owns(workspace)]
    paths += [path for path in owned if path not in paths]
    direct = [path for path in paths if path.parent == workspace.root]
    return direct + [path.with_name(path.name + PART) for path in direct]


def is_ours(workspace: Workspace) -> bool:
    """Whether an earlier run made this folder a workspace, judged by its state or by the record in its lock file."""
    try:
        state = (
            json.loads(workspace.state_file.read_text("utf-8")) if _is_file(workspace.state_file) else None
        )
        damaged = False
    except (ValueError, RecursionError):
        state, damaged = None, True
    if isinstance(state, dict) and isinstance(state.get("stages"), dict):
        return True
    if not _is_file(workspace.lock_file):
        return False
    with open(workspace.lock_file, "rb") as file:
        start = file.read(2)
    # With a damaged state, the power may have failed before the lock's record reached the disk.
    return start == b"\0{" or (damaged and not start.strip(b"\0"))


def unwritable(workspace: Workspace, error: OSError) -> UserError:
    """The error for a results folder that is read-only, or whose files belong to another user."""
    return UserError(
        f"{error.filename or workspace.root} cannot be written ({error.strerror or error}): check its "
        "permissions, or choose another results folder.",
        2,
        "results",
    )


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _mark(workspace: Workspace) -> None:
    """Write an empty state before anything else; do nothing if another run has just done so."""
    try:
        handle = open_plain(workspace.state_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except FileExistsError:
        return
    with os.fdopen(handle, "wb") as file:
        file.write(b'{"version": 1, "stages": {}}\n')
