"""Which results in a workspace are whole and belong to its state. Standard library only; Blender asks here as well.

With each finished stage state.json keeps, under "files", the size of every file that later stages, exports and
imports read, and a CRC-32 of its first and last 4 KB: `{stage: {"images/a.jpg": "83512 5f3a90c1"}}`. That is found
again in a moment also for thousands of files, and differs for a file that was cut short, emptied, overwritten with
zeros or replaced. Workspaces of version 0.1.0 have no such list: what exists and is not empty counts as whole there.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .errors import UserError
from .files.atomic_files import PART
from .files.durable import sync_folder, sync_tree
from .files.regular import open_regular
from .stage import guests
from .stage import stage as stage_of
from .text import printable
from .wording import RESUME, Sentence, run_stage
from .workspace import Workspace

END = 4096  # bytes at each end of a file that are compared

_SQLITE = b"SQLite format 3\0"


@dataclass(frozen=True)
class Damage:
    """A file of a stage that is not as the stage had left it. what: "is missing", "is empty", ..."""

    path: Path
    what: str

    def __str__(self) -> str:
        return printable(f"{self.path} {self.what}")


def is_done(workspace: Workspace, stage: str) -> bool:
    """What state.json says, whatever has become of the files."""
    return workspace.read_state().stage(stage).done


def outputs(workspace: Workspace, stage: str) -> list[Path]:
    """The files and folders that a finished stage has there."""
    declared = stage_of(stage)
    return [*declared.leaves(workspace), *(path for path in declared.may_leave(workspace) if path.exists())]


def files_of(workspace: Workspace, stage: str) -> dict[str, str]:
    """Size and ends of each file that a stage has left, by its path in the workspace, all of them put on the disk
    before. UserError where one is missing or empty."""
    missing = _broken(workspace, stage)
    if missing:
        raise UserError(Sentence(f"{missing[0]} after the stage {stage}: ", RESUME, "."))
    return describe_all(workspace, outputs(workspace, stage))


def describe_all(workspace: Workspace, paths: list[Path]) -> dict[str, str]:
    """The same for any files and folders of the workspace."""
    found: dict[str, str] = {}
    for path in paths:
        sync_tree(path)
        sync_folder(path.parent)
        for file in _files(path):
            found[_name(workspace, file)] = described(file)
    return dict(sorted(found.items()))


def record_again(workspace: Workspace, stage: str, path: Path) -> None:
    """Take note of one file of a finished stage that was rightly changed since."""
    state = workspace.read_state()
    files = state.files.get(stage)
    if files and stage in state.stages:
        workspace.write_stage(stage, state.stage(stage), files={**files, **describe_all(workspace, [path])})


def described(path: Path) -> str:
    """`SIZE CRC`: of the first and the last 4 KB. OSError where the file cannot be read."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(END)
        if head.startswith(_SQLITE):  # its counters of changes go on when COLMAP only looks
            head = head[:24] + head[28:92] + head[100:]
        crc = zlib.crc32(head)
        if size > END:
            file.seek(max(END, size - END))
            crc = zlib.crc32(file.read(END), crc)
    return f"{size} {crc:08x}"


def damaged(workspace: Workspace, stage: str, within: Iterable[Path] | None = None) -> list[Damage]:
    """What a finished stage's files have lost since. within: look at these files and folders only."""
    recorded = workspace.read_files(stage)
    for guest in guests(stage):
        if guest.name in workspace.read_state().stages:
            # The file goes on being written by the guest, which then knows how it should be.
            shared = {_name(workspace, path) for path in guest.leaves(workspace)}
            now = workspace.read_files(guest.name)
            recorded = {name: text for name, text in recorded.items() if name not in shared}
            recorded.update({name: text for name, text in now.items() if name in shared})
    places = None if within is None else [_name(workspace, path) for path in within]

    def asked(name: str) -> bool:
        return places is None or any(name == place or name.startswith(place + "/") for place in places)

    found = [damage for damage in _broken(workspace, stage) if asked(_name(workspace, damage.path))]
    known = {damage.path for damage in found}
    for name, text in recorded.items():
        path = workspace.root / name
        if path in known or not asked(name):
            continue
        what = _difference(path, text)
        if what:
            found.append(Damage(path, what))
    return found


def problem(workspace: Workspace, stage: str, within: Iterable[Path] | None = None) -> str:
    """Why a stage's results cannot be taken, in half a sentence; empty where they can, and in folders that are no
    workspace of ours, of which nothing is known."""
    if not workspace.state_file.exists():
        return ""
    if not is_done(workspace, stage):
        return f"{workspace.root} has no finished {stage}"
    found = damaged(workspace, stage, within)
    return str(found[0]) if found else ""


def require(workspace: Workspace, stage: str, within: Iterable[Path] | None = None) -> None:
    """UserError (2) where a stage is not done, was dropped, or has lost what it had made."""
    why = problem(workspace, stage, within)
    if why:
        raise UserError(Sentence(f"{why}: ", run_stage(stage, workspace.root), "."), 2)


def require_model(workspace: Workspace) -> None:
    """UserError (2) where there is no main model, or one that is not whole."""
    if not (workspace.model / "images.bin").exists():
        raise UserError(
            Sentence(f"{workspace.root} holds no cameras yet: ", run_stage("sfm", workspace.root), "."), 2
        )
    require(workspace, "sfm" if workspace.model == workspace.mapped else "refine", [workspace.model])


def has(workspace: Workspace, stage: str, path: Path) -> bool:
    """Whether there is a stage's file to be taken: not where the stage is not done or was dropped since. UserError (2)
    where it is done and the file has been lost."""
    if not workspace.state_file.exists():
        return path.exists()
    if not is_done(workspace, stage):
        return False
    require(workspace, stage, [path])
    return True


def sentence(stage: str, found: list[Damage]) -> str:
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{found[0]}{more}: the stage {stage} runs again."


def _broken(workspace: Workspace, stage: str) -> list[Damage]:
    """What is not there, or empty."""
    found: dict[Path, Damage] = {}
    for path in outputs(workspace, stage):
        files = _files(path)
        if not files:
            found[path] = Damage(path, "is empty" if path.exists() else "is missing")
        found |= {file: Damage(file, "is empty") for file in files if file.stat().st_size == 0}
    return list(found.values())


def _files(path: Path) -> list[Path]:
    """The file itself, or all files in a folder but those under way."""
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and not file.name.endswith(PART))


def _difference(path: Path, recorded: str) -> str:
    try:
        now = described(path)
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    if now == recorded:
        return ""
    size, before = now.partition(" ")[0], recorded.partition(" ")[0]
    if size == before or not before.isdecimal():  # state.json may hold anything
        return "has different content than was written"
    return "is empty" if size == "0" else f"has {size} bytes where {before} were written"


def _name(workspace: Workspace, path: Path) -> str:
    return path.relative_to(workspace.root).as_posix()
