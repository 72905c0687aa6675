"""Search a real-world folder for pictures, with links, thumbnails, recycle bins and earlier results in it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from ..errors import UserError
from .extensions import CLOUD, EXTENSIONS, OTHER_PICTURES, RAW_EXTENSIONS, VIDEO_EXTENSIONS, is_system_folder

_PICTURES = EXTENSIONS | VIDEO_EXTENSIONS | RAW_EXTENSIONS | OTHER_PICTURES


class Walk:
    """files: pictures and videos of all kinds. other: files with other extensions. system: photos in folders created by
    systems and programs. away: photos in the cloud, of which there is only a placeholder.

    Links to folders are followed after everything else, so that files reached both ways keep their own path; never to a
    parent folder, nor twice to the same folder. UserError (2) for a folder that cannot be read.
    """

    def __init__(self, root: Path, workspace_root: Path, masks: Path | None = None) -> None:
        self.files: list[Path] = []
        self.other: list[Path] = []
        self.system: list[Path] = []
        self.away: list[Path] = []
        self._root, self._without = root, {workspace_root, masks}
        self._workspace_root = workspace_root
        self._seen: set[tuple[int, int]] = set()
        self._links: list[Path] = []
        self._search(root)
        for link in self._links:  # which grows during the loop
            if not self._leads_up(link):
                self._search(link)

    def of(self, endings: Collection[str]) -> list[Path]:
        """The files with these extensions."""
        return [file for file in self.files if file.suffix.lower() in endings]

    def _search(self, start: Path) -> None:
        if not self._is_new(start):
            return
        for where, folders, files in os.walk(start, onerror=_unreadable):
            here = Path(where)
            if here == self._workspace_root:  # photos and results in one folder: no subfolders
                folders.clear()
            elif here != self._root and {"job.json", "state.json"} <= set(
                files
            ):  # another workspace's copies
                folders.clear()
                continue
            self.system += _pictures_of(here / name for name in folders if is_system_folder(name))
            folders[:] = [
                name for name in folders if not is_system_folder(name) and here / name not in self._without
            ]
            self._links += sorted(here / name for name in folders if (here / name).is_symlink())
            folders[:] = [
                name for name in folders if not (here / name).is_symlink() and self._is_new(here / name)
            ]
            for name in files:
                if name.startswith(".") and name.endswith(CLOUD):
                    photo = here / name.removeprefix(".").removesuffix(CLOUD)
                    self.away += [photo] * (photo.suffix.lower() in EXTENSIONS)
                elif not name.startswith("."):
                    known = Path(name).suffix.lower() in _PICTURES
                    (self.files if known else self.other).append(here / name)

    def _is_new(self, folder: Path) -> bool:
        try:
            status = folder.stat()
        except OSError:
            return True  # os.walk reports what is wrong with it
        key = status.st_dev, status.st_ino
        if key in self._seen and status.st_ino:
            return False
        self._seen.add(key)
        return True

    def _leads_up(self, link: Path) -> bool:
        target = link.resolve()
        return target == self._root.resolve() or target in self._root.resolve().parents


def _pictures_of(folders: Iterable[Path]) -> list[Path]:
    """Visible photos in these folders, for a message; unreadable folders have none."""
    pictures = []
    for folder in folders:
        if folder.name.startswith("."):
            continue
        for where, _, files in os.walk(folder):
            pictures += [Path(where) / name for name in files if Path(name).suffix.lower() in EXTENSIONS]
    return pictures


def _unreadable(error: OSError) -> None:
    raise UserError(
        f"The folder {error.filename} cannot be read ({error.strerror}): check its permissions.", 2
    )
