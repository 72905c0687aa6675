"""Which results in a workspace are complete and belong to its state. Standard library only; used by Blender as well.

For each finished stage, state.json keeps under "files" the size of every file that later stages, exports and imports
read, and a CRC-32 of its first and last 4 KB: `{stage: {"images/a.jpg": "83512 5f3a90c1"}}`. This is quick to check
even for thousands of files, and detects a file that was truncated, emptied, overwritten with zeros or replaced.
Workspaces of version 0.1.0 have no such list: there, any file that exists and is not empty counts as complete.
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
    """A file that is not as its stage left it. what: "is missing", "is empty", ..."""

    path: Path
    what: str

    def __str__(self) -> str:
        return printable(f"{self.path} {self.what}")


def is_done(workspace: Workspace, stage: str) -> bool:
    """Whether state.json says so, whatever has happened to the files."""
    return workspace.read_state().stage(stage).done


def outputs(workspace: Workspace, stage: str) -> list[Path]:
    """The files and folders that a finished stage has left."""
    declared = stage_of(stage)
    return [*declared.leaves(workspace), *(path for path in declared.may_leave(workspace) if path.exists())]


def files_of(workspace: Workspace, stage: str) -> dict[str, str]:
    """Size and checksum of each file that a stage has left, by its path in the workspace; all are flushed to disk
    first. UserError if one is missing or empty."""
    missing = _broken(workspace, stage)
    if missing:
        raise UserError(Sentence(f"{missing[0]} after the stage {stage}: ", RESUME, "."))
    return describe_all(workspace, outputs(workspace, stage))


def describe_all(workspace: Workspace, paths: list[Path]) -> dict[str, str]:
    """The same for any files and folders of the workspace."""
    descriptions: dict[str, str] = {}
    for path in paths:
        sync_tree(path)
        sync_folder(path.parent)
        for file in _files(path):
            descriptions[_name(workspace, file)] = described(file)
    return dict(sorted(descriptions.items()))


def record_again(workspace: Workspace, stage: str, path: Path) -> None:
    """Update the record of one file of a finished stage after an intended change."""
    state = workspace.read_state()
    files = state.files.get(stage)
    if files and stage in state.stages:
        workspace.write_stage(stage, state.stage(stage), files={**files, **describe_all(workspace, [path])})


def described(path: Path) -> str:
    """`SIZE CRC`, of the first and the last 4 KB. OSError if the file cannot be read."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(END)
        if head.startswith(_SQLITE):  # its change counters increase even when COLMAP only reads
            head = head[:24] + head[28:92] + head[100:]
        crc = zlib.crc32(head)
        if size > END:
            file.seek(max(END, size - END))
            crc = zlib.crc32(file.read(END), crc)
    return f"{size} {crc:08x}"


def damaged(workspace: Workspace, stage: str, within: Iterable[Path] | None = None) -> list[Damage]:
    """The damage to a finished stage's files. within: check only these files and folders."""
    recorded = workspace.read_files(stage)
    for guest in guests(stage):
        if guest.name in workspace.read_state().stages:
            # The guest continues to write the file and has the newer record of it.
            shared = {_name(workspace, path) for path in guest.leaves(workspace)}
            now = workspace.read_files(guest.name)
            recorded = {name: text for name, text in recorded.items() if name not in shared}
            recorded.update({name: text for name, text in now.items() if name in shared})
    places = None if within is None else [_name(workspace, path) for path in within]

    def asked(name: str) -> bool:
        return places is None or any(name == place or name.startswith(place + "/") for place in places)

    damages = [damage for damage in _broken(workspace, stage) if asked(_name(workspace, damage.path))]
    known = {damage.path for damage in damages}
    for name, text in recorded.items():
        path = workspace.root / name
        if path in known or not asked(name):
            continue
        what = _difference(path, text)
        if what:
            damages.append(Damage(path, what))
    return damages


def problem(workspace: Workspace, stage: str, within: Iterable[Path] | None = None) -> str:
    """Why a stage's results cannot be used, a clause for an error message; empty if they can, and in folders that are
    not workspaces of ours, of which nothing is known."""
    if not workspace.state_file.exists():
        return ""
    if not is_done(workspace, stage):
        return f"{workspace.root} has no finished {stage}"
    damages = damaged(workspace, stage, within)
    return str(damages[0]) if damages else ""


def require(workspace: Workspace, stage: str, within: Iterable[Path] | None = None) -> None:
    """UserError (2) if a stage is not done, was dropped, or its files are damaged."""
    why = problem(workspace, stage, within)
    if why:
        raise UserError(Sentence(f"{why}: ", run_stage(stage, workspace.root), "."), 2)


def require_model(workspace: Workspace) -> None:
    """UserError (2) if there is no main model, or it is damaged."""
    if not (workspace.model / "images.bin").exists():
        raise UserError(
            Sentence(f"{workspace.root} holds no cameras yet: ", run_stage("sfm", workspace.root), "."), 2
        )
    require(workspace, "sfm" if workspace.model == workspace.mapped else "refine", [workspace.model])


def has(workspace: Workspace, stage: str, path: Path) -> bool:
    """Whether a stage's file can be used: not if the stage is not done or was dropped since. UserError (2) if it is
    done and the file has been lost."""
    if not workspace.state_file.exists():
        return path.exists()
    if not is_done(workspace, stage):
        return False
    require(workspace, stage, [path])
    return True


def sentence(stage: str, damages: list[Damage]) -> str:
    others = f", and {len(damages) - 1} more" if len(damages) > 1 else ""
    return f"{damages[0]}{others}: the stage {stage} runs again."


def _broken(workspace: Workspace, stage: str) -> list[Damage]:
    """Files that are missing or empty."""
    damages: dict[Path, Damage] = {}
    for path in outputs(workspace, stage):
        files = _files(path)
        if not files:
            damages[path] = Damage(path, "is empty" if path.exists() else "is missing")
        damages |= {file: Damage(file, "is empty") for file in files if file.stat().st_size == 0}
    return list(damages.values())


def _files(path: Path) -> list[Path]:
    """The file itself, or all files in a folder except those still being written."""
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
