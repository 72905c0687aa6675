"""The folder of the engine's environment: ownership, completeness, and removal.

TARGET/recon3d-engine.json   marks the folder as created by this add-on, with its torch build
TARGET/ready.json            written last: what is installed
TARGET/tools, TARGET/cache   uv and downloads, while they are needed
TARGET/bin, lib, ...         the environment
TARGET/../setup              events.jsonl, log.txt, cancel and lock of the process that sets it up
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ..pipeline.claim import claim as claim_folder
from ..pipeline.errors import UserError
from ..pipeline.files.atomic_files import write_json
from ..pipeline.log_rotation import rotate
from ..pipeline.workspace import Workspace
from . import engine_process
from .requirements import normalized, pins, versions

MISSING, READY, BROKEN, OUTDATED = "missing", "ready", "broken", "outdated"
MARKER = "recon3d-engine.json"
_MADE_BY = "Recon3D engine"
_KEPT = ("tools", "cache", MARKER)  # kept by a repair that re-creates the environment
_PATIENCE = 3  # attempts to remove files that another program, often a virus scanner, has open


def work_folder(target: Path) -> Path:
    """The folder of the events and log of the setup process for TARGET."""
    return target.absolute().parent / "setup"


def interpreter(target: Path) -> Path:
    return target / engine_process.INTERPRETER


def site_packages(target: Path) -> Path | None:
    """The environment's site-packages; None if there is no environment yet."""
    if sys.platform == "win32":
        folder = target / "Lib" / "site-packages"
        return folder if folder.is_dir() else None
    return next(iter(sorted(target.glob("lib/python3*/site-packages"))), None)


# -- ownership --------------------------------------------------------------------------------------


def claim(target: Path) -> None:
    """Mark the folder as this add-on's. Raises UserError if it contains anything else."""
    if target.is_symlink():
        raise UserError(f"{target} is a link: choose a folder.", 2)
    try:
        target.mkdir(parents=True, exist_ok=True)
        if is_ours(target):
            return
        if any(target.iterdir()):
            raise UserError(
                f"{target} contains files that this add-on did not create: choose another folder.", 2
            )
        mark(target)
    except OSError as error:
        raise UserError(
            f"The folder {target} cannot be created or written to ({error.strerror}): choose another.", 2
        ) from error


def mark(target: Path, **facts: str) -> None:
    """Write the marker. facts: the environment's torch build, and `python` once it was created."""
    write_json(target / MARKER, {"made by": _MADE_BY, **facts})


def is_ours(target: Path) -> bool:
    """Whether this add-on created the folder."""
    return not target.is_symlink() and read(target / MARKER).get("made by") == _MADE_BY


def read(path: Path) -> dict[str, Any]:
    """A JSON object; empty if the file is missing or invalid."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def claimed_work_folder(target: Path) -> Workspace:
    """Create the folder of events and log. Raises UserError if it contains foreign files."""
    workspace = Workspace(work_folder(target))
    workspace.create()
    files = (
        workspace.state_file, workspace.lock_file, workspace.events, workspace.log, workspace.old_events,
        workspace.old_log, workspace.output, workspace.cancel_file,
    )  # fmt: skip
    claim_folder(workspace, [path.name for path in files])
    return workspace


@contextmanager
def locked(target: Path) -> Iterator[Workspace]:
    """Lock the folder of events and log for this process. Raises UserError if another one holds it."""
    workspace = claimed_work_folder(target)
    with ExitStack() as stack:
        try:
            stack.enter_context(workspace.locked())
        except UserError as error:
            raise UserError(
                f"The engine in {target} is being set up by another process: wait until it is done, or cancel it."
            ) from error
        rotate(workspace)
        yield workspace


# -- completeness -----------------------------------------------------------------------------------


def state(target: str | Path) -> str:
    """ "missing", "ready", "broken" (incomplete or damaged) or "outdated" (from another version of the add-on).

    Checks only a few names and sizes, and never starts a process: a panel may call it for every redraw.
    """
    target = Path(target).absolute()
    if not is_ours(target):
        return MISSING
    ready = read(target / engine_process.READY)
    if not ready or not interpreter(target).exists():  # False for a link to a deleted Python
        return BROKEN
    required = list(pins())
    if ready.get("requirements") != required:
        return OUTDATED
    packages = installed(target)
    return READY if all(packages.get(name) == ours for name, ours in versions(required).items()) else BROKEN


def stamp(target: str | Path) -> tuple[int, ...]:
    """Changes when what `state` looks at does: a few times of files, for a panel that is drawn often."""
    target = Path(target).absolute()
    looked = (target / MARKER, target / engine_process.READY, interpreter(target), site_packages(target))
    return tuple(_time(path) for path in looked)


def _time(path: Path | None) -> int:
    try:
        return os.stat(path).st_mtime_ns if path is not None else 0
    except OSError:
        return 0


def installed(target: Path) -> dict[str, str]:
    """{normalized name: version without local label} of the distributions in the environment."""
    folder = site_packages(target)
    try:
        names = os.listdir(folder) if folder else []
    except OSError:
        names = []
    packages = {}
    for name in names:
        stem, dot, kind = name.rpartition(".")
        if dot and kind == "dist-info":
            distribution, _, version = stem.rpartition("-")
            packages[normalized(distribution)] = version.partition("+")[0]
    return packages


# -- removal ----------------------------------------------------------------------------------------


def remove(target: str | Path) -> None:
    """Delete the environment and nothing outside it; links are deleted, not followed. Takes seconds.

    Raises UserError for a folder that this add-on did not create, or while it is being set up.
    """
    target = Path(target).absolute()
    if not os.path.lexists(target):
        return
    if not is_ours(target):
        raise UserError(
            f"{target} was not removed, since this add-on did not create it: delete it yourself.", 2
        )
    with locked(target):
        (target / engine_process.READY).unlink(missing_ok=True)
        clear(target, keep=(MARKER,))
        (target / MARKER).unlink()  # last, so that an interrupted removal can be continued
        target.rmdir()


def clear(target: Path, keep: tuple[str, ...] = _KEPT) -> None:
    """Delete the folder's contents except the names in `keep`. Raises UserError if anything remains."""
    for path in sorted(target.iterdir()):
        if path.name not in keep:
            delete(path)


def delete(path: Path) -> None:
    """Delete a file, a link or a folder, retrying if another program has it open."""
    for attempt in range(_PATIENCE):
        try:
            if path.is_dir() and not path.is_symlink():
                _delete_tree(path)
            else:
                path.unlink(missing_ok=True)
            return
        except OSError as error:
            if attempt == _PATIENCE - 1:
                raise UserError(
                    f"{error.filename or path} cannot be deleted ({error.strerror}): close the programs that use "
                    "the engine (a virus scanner may have it open), and try again."
                ) from error
            time.sleep(0.5 * (attempt + 1))


def _delete_tree(path: Path) -> None:
    def make_writable(function: Callable[..., Any], name: str, error: Any) -> None:
        # Read-only files on Windows; in read-only folders elsewhere.
        try:
            os.chmod(os.path.dirname(name), stat.S_IRWXU)
            if not os.path.islink(name):
                os.chmod(name, stat.S_IRWXU)
            function(name)
        except FileNotFoundError:
            pass

    if sys.version_info >= (3, 12):
        shutil.rmtree(path, onexc=make_writable)
    else:
        shutil.rmtree(path, onerror=make_writable)
