"""`recon3d clean`: removes files that only save time if a stage runs again. Results and the user's own files stay.

A finished stage has recorded the files that exports, imports and later stages read (`results`). What else it owns, such
as depth maps once they are fused, is made again if its settings change. Standard library only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from .claim import is_ours
from .documents.answers_json import CleanAnswer, RemovableFiles
from .errors import UserError
from .files.atomic_files import remove
from .stage import all_stages
from .text import Said
from .wording import OTHER_FOLDER, Sentence
from .workspace import Workspace, side_files


def clean(workspace: Workspace, delete: bool) -> CleanAnswer:
    """What can be removed, removed if `delete`.

    UserError (2) if the folder is not a workspace; or if a run is in progress there.
    """
    if not workspace.root.is_dir() or not is_ours(workspace):
        raise UserError(Sentence(f"{workspace.root} is not a Recon3D workspace: ", OTHER_FOLDER, "."), 2)
    with workspace.locked():
        files = removable(workspace)
        for each in files if delete else []:
            remove(workspace.root / each.path)
    return CleanAnswer(files=files, bytes=sum(each.bytes for each in files), removed=delete)


def freed(answer: CleanAnswer) -> Said:
    """What was removed, as a message."""
    if not answer.bytes:
        return Said("Nothing to remove: all files belong to results.")
    size = f"{answer.bytes / 2**30:.1f}"
    return Said("{size} GB are free again; all results are still there.", size=size)


def removable(workspace: Workspace) -> list[RemovableFiles]:
    """Files and whole folders of finished stages that no result contains, the largest first."""
    state = workspace.read_state()
    recorded = {workspace.root / name for files in state.files.values() for name in files}
    needed = recorded | {parent for path in recorded for parent in path.parents}
    needed |= {*side_files(workspace.database), *side_files(workspace.remapped_database)}
    unneeded = []
    for stage in all_stages():
        # Without a record of its files, as in workspaces of version 0.1.0, nothing is known to be superfluous.
        if not state.stage(stage.name).done or not state.files.get(stage.name):
            continue
        for owned in (*stage.owns(workspace), workspace.items / stage.name):
            for path in _outside(owned, needed):
                if size := size_of(path):
                    name = path.relative_to(workspace.root).as_posix()
                    unneeded.append(RemovableFiles(path=name, bytes=size, stage=stage.name))
    return sorted(unneeded, key=lambda each: (-each.bytes, each.path))


def _outside(path: Path, needed: set[Path]) -> Iterator[Path]:
    """The largest folders and files below a path that contain nothing to keep."""
    if not path.exists() or path.is_symlink():
        return
    if path not in needed:
        yield path
    elif path.is_dir():
        for child in sorted(path.iterdir()):
            yield from _outside(child, needed)


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if not path.is_dir():
        return path.stat().st_size
    return sum((Path(folder) / name).lstat().st_size for folder, _, names in os.walk(path) for name in names)
