"""A stage's work in items that any process, on any machine, can do: by shards and by Dask.

Whoever does an item writes its results to a folder of its own, which mirrors the workspace: items/STAGE/STEP/000007/.
Only the process that holds the workspace's lock brings them in (`bring_in`): files are moved to their places, rows
added to the database, so that no two processes ever write the same file. What is left when a run gets there, it does
itself, as in any resumed run. A stage declares its items with `Stage.items`. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from pathlib import Path
from typing import Protocol

from .errors import UserError
from .events import Progress
from .files.atomic_files import PART, remove
from .files.durable import sync_tree
from .files.full_disk import full_disk_told
from .setting_field import Settings
from .stage import Stage
from .wording import Sentence, run_stage
from .workspace import Workspace

BROUGHT = "brought"  # a file in the folder of an item that has been brought in
PRINT_LENGTH = 12  # digits of a fingerprint in a folder's name


class Items(Protocol):
    """The items of a stage that can be done now, in any order.

    step: their name within the stage; a stage of several steps needs all items of one before those of the next.
    message: of their progress. count: they are numbered from 0, the same way in every process.
    """

    step: str
    message: str
    count: int

    def has(self, item: int) -> bool:
        """Whether the workspace holds the item's results already."""

    def do(self, item: int, into: Workspace, progress: Progress) -> None:
        """Write the item's results into an empty folder that mirrors the workspace."""


class SharedItems:
    """The items of one stage in one workspace, and where their results go until they are brought in.

    fingerprint: the stage's, so that results for other settings or photos are never taken for these.
    """

    def __init__(self, workspace: Workspace, stage: Stage, settings: Settings, fingerprint: str) -> None:
        self.workspace, self.stage, self.settings = workspace, stage, settings
        self.fingerprint = fingerprint
        self._root = workspace.items / stage.name / fingerprint[:PRINT_LENGTH]

    def open(self, progress: Progress) -> Items | None:
        """The items of the step that is next; None if what remains is not done in items."""
        return self.stage.items(self.workspace, self.settings, progress) if self.stage.items else None

    def is_done(self, items: Items, item: int) -> bool:
        return self._folder(items, item).is_dir() or items.has(item)

    def do(self, items: Items, item: int, progress: Progress) -> None:
        """Do one item unless it, or the stage, is done. UserError if the stage has been started again."""
        progress.check()
        if self.is_done(items, item):
            return
        record = self.workspace.read_state().stage(self.stage.name)
        if record.done:
            return
        if record.fingerprint != self.fingerprint:
            raise UserError(
                Sentence(
                    f"{self.workspace.root} has been started with other photos or settings: ",
                    run_stage(self.stage.name, self.workspace.root),
                    " there again.",
                )
            )
        target = self._folder(items, item)
        own = f"{target.name}.{socket.gethostname()}-{os.getpid()}-{threading.get_ident()}{PART}"
        part = target.with_name(own)
        try:
            part.mkdir(parents=True)
            with full_disk_told(part):
                items.do(item, Workspace(part), progress)
                sync_tree(part)
            with contextlib.suppress(OSError):  # another process has done it meanwhile, with the same result
                os.rename(part, target)
        finally:
            remove(part)

    def bring_in(self) -> int:
        """Move all results that are there to their places in the workspace; returns the number of items.

        Only for the holder of the lock. The folder remains, with a mark: the item is done.
        """
        brought = 0
        for folder in sorted(self._root.glob("*/*")):
            if not folder.is_dir() or folder.name.endswith(PART) or (folder / BROUGHT).exists():
                continue
            self._bring(folder)
            (folder / BROUGHT).touch()  # also keeps a late duplicate out
            brought += 1
        return brought

    def _bring(self, folder: Path) -> None:
        result = Workspace(folder)
        if result.database.exists():
            from .colmap.item_rows import add_rows

            add_rows(result, self.workspace)
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or path.is_symlink() or path in (result.database, result.pairs):
                continue
            target = self.workspace.root / path.relative_to(folder)
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(path, target)
        for path in folder.iterdir():
            remove(path)

    def any_left(self) -> bool:
        """Whether other processes have left results for bringing in."""
        return self._root.is_dir()

    def forget(self) -> None:
        """Remove all that was left for bringing in, once the stage is done."""
        remove(self.workspace.items / self.stage.name)

    def _folder(self, items: Items, item: int) -> Path:
        return self._root / items.step / f"{item:06}"


def share(count: int, part: int, parts: int) -> range:
    """The items of one of several equal parts (from 1): neighbors, which often read the same photos."""
    return range(count * (part - 1) // parts, count * part // parts)
