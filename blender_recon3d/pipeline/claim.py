"""Whose the results folder is. Nothing in a folder that is not ours is written, emptied or removed. Standard library
only.
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
    """Make an existing folder a workspace, or find that it is one already. Arguments and errors as `check_claim`."""
    if not check_claim(workspace, names):
        try:
            _mark(workspace)
        except OSError as error:
            raise unwritable(workspace, error) from error


def check_claim(workspace: Workspace, names: Iterable[str] = ()) -> bool:
    """Whether the folder is a workspace already; when it is not, it may become one.

    names: what will be written there; all that a workspace holds when there are none. Raises UserError (2) when one
    of them is there and not ours, or is a link.
    """
    wanted = [workspace.root / name for name in names] or own_paths(workspace)
    try:
        ours = is_ours(workspace)
        link = next((path for path in wanted if path.is_symlink()), None)
        if link is not None:
            raise UserError(
                f"{link} is a link, but results are written only to plain files and folders: remove it, or "
                "choose another results folder.",
                2,
                "results",
            )
        if ours:
            return True
        found = next((path for path in wanted if path.exists()), None)
        if found is not None:
            raise UserError(
                f"{workspace.root} is not a Recon3D workspace but already contains {found.name}, which "
                "would be overwritten: choose an empty or new folder for the results.",
                2,
                "results",
            )
        return False
    except OSError as error:
        raise unwritable(workspace, error) from error


def own_paths(workspace: Workspace) -> list[Path]:
    """All that is ever written into the workspace's folder itself, also while it is being written."""
    paths = [path for path in vars(workspace).values() if isinstance(path, Path)]
    owned = [path for each in all_stages() for path in each.owns(workspace)]
    paths += [path for path in owned if path not in paths]
    direct = [path for path in paths if path.parent == workspace.root]
    return direct + [path.with_name(path.name + PART) for path in direct]


def is_ours(workspace: Workspace) -> bool:
    """Whether an earlier run has made this folder a workspace: by its state, or by the lock's record."""
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
    # Where the state is damaged, the power may have gone before the lock's record was on the disk.
    return start == b"\0{" or (damaged and not start.strip(b"\0"))


def unwritable(workspace: Workspace, error: OSError) -> UserError:
    """For a results folder that is read-only, or whose files belong to somebody else."""
    return UserError(
        f"{error.filename or workspace.root} cannot be written ({error.strerror or error}): check its "
        "permissions, or choose another results folder.",
        2,
        "results",
    )


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _mark(workspace: Workspace) -> None:
    """An empty state, before anything else is written; nothing when another run has just been quicker."""
    try:
        handle = open_plain(workspace.state_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except FileExistsError:
        return
    with os.fdopen(handle, "wb") as file:
        file.write(b'{"version": 1, "stages": {}}\n')
