"""Update an exported folder that other programs also write to: only the files in its list are replaced.

The list, `recon3d.json` in the folder, has the size and time of each file as written. Files that are not listed, or
were changed since, belong to someone else: training programs write their results beside the photos. Standard library
only.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..errors import UserError
from .atomic_files import read_json, remove, write_json
from .json_values import items, text, whole

LIST = "recon3d.json"

Stamp = tuple[str, int, int]  # path below the folder with "/", bytes, modification time in ns


def replace_own(folder: Path, new: Path, about: dict[str, Any]) -> None:
    """Move all files of the folder `new` into `folder`, and remove only what an earlier call wrote there.

    about: added to the list. Nothing is changed until all files are known to be ours: UserError if a file that would be
    replaced is not. After a kill the next call can continue.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = sorted(path.relative_to(new).as_posix() for path in new.rglob("*") if path.is_file())
    old = _read_list(folder, names)
    ours = {name for name, _, _ in old}
    for name in sorted({*names, *ours}):
        _check_ours(folder, name, old)
    now = [_stamp(new, name) for name in names]
    write_json(folder / LIST, {**about, "files": [*old, *now]})  # of both, until all have been moved
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(new / name, target)
    for name in ours - set(names):
        remove(folder / name)
        _remove_empty(folder, (folder / name).parent)
    write_json(folder / LIST, {**about, "files": now})


def has_list(folder: Path) -> bool:
    return (folder / LIST).is_file()


def check_target(target: Path, workspace: Path) -> None:
    """UserError if an export to the folder `target` would replace something else."""
    inside = workspace.resolve() in (target.resolve(), *target.resolve().parents)
    if inside or target.resolve() in workspace.resolve().parents:
        raise UserError(
            f"One of {target} and the results folder contains the other: choose another folder.", 2
        )
    if target.exists() and not has_list(target) and (not target.is_dir() or any(target.iterdir())):
        raise UserError(f"{target} contains other files: choose a new or empty folder.", 2)


def _read_list(folder: Path, names: list[str]) -> list[Stamp]:
    if not has_list(folder):
        return []
    raw = read_json(folder / LIST, "choose a new folder")
    if "files" not in raw:  # from a version without a list: files with our names are ours
        return [_stamp(folder, name) for name in names if (folder / name).is_file()]
    stamps = []
    for entry in items(raw["files"]):
        if isinstance(entry, list) and len(entry) == 3 and _is_below(text(entry[0])):
            stamps.append((text(entry[0]), whole(entry[1], -1), _time(entry[2])))
    return stamps


def _time(value: Any) -> int:
    return value if isinstance(value, int) else -1


def _is_below(name: str) -> bool:
    parts = name.split("/")
    return all(part not in ("", ".", "..") for part in parts) and not set(name) & set("\\:\0")


def _check_ours(folder: Path, name: str, old: list[Stamp]) -> None:
    """UserError if a file of that name exists and is not as we wrote it."""
    path = folder / name
    if path.parent.resolve() != folder.resolve() / path.parent.relative_to(folder):
        raise UserError(f"{path.parent} is a link to another folder: choose a new folder.", 2)
    if not os.path.lexists(path):
        return
    if path.is_symlink() or not path.is_file() or _stamp(folder, name) not in old:
        raise UserError(
            f"{path} was not exported by Recon3D and is not replaced: choose a new folder, or move the file.",
            2,
        )


def _stamp(folder: Path, name: str) -> Stamp:
    status = (folder / name).stat()
    return name, status.st_size, status.st_mtime_ns


def _remove_empty(folder: Path, parent: Path) -> None:
    while parent != folder and parent.is_dir() and not any(parent.iterdir()):
        parent.rmdir()
        parent = parent.parent
