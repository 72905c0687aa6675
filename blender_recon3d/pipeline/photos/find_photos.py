"""Finding the photos a person means: folders, lists of files, videos, and their masks; and safe names for them."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import UserError
from ..files.user_path import user_path
from .extensions import EXTENSIONS, MASK_EXTENSIONS, VIDEO_EXTENSIONS


def find_photos(given: Iterable[str], workspace_root: Path) -> tuple[list[Path], list[Path]]:
    """The photo and video files that `given` (folders, files) stand for, in natural order, without repeats.

    Folders are searched recursively; hidden entries, other kinds of files and what workspaces hold are passed
    over, and films where there are photos. A file named outright is taken whatever its name ends in.
    UserError (2) for a path that is not there.
    """
    photos: dict[Path, None] = {}
    videos: dict[Path, None] = {}
    for text in given:
        path = user_path(text).absolute()
        if path.is_dir():
            found = sorted(_walk(path, workspace_root), key=natural_key)
            stills = [file for file in found if file.suffix.lower() in EXTENSIONS]
            # Phones put a short film beside each photo: films count where there are no photos, or when named.
            found = stills or found
        elif path.exists():
            found = [path]
        else:
            raise UserError(f"{path} does not exist: give a folder of photos, photo files or a video.", 2)
        for file in found:
            (videos if file.suffix.lower() in VIDEO_EXTENSIONS else photos)[file] = None
    return list(photos), list(videos)


def _walk(folder: Path, workspace_root: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder, onerror=_unreadable):
        here = Path(where)
        if here == workspace_root:  # photos and results in one folder: only what lies there itself
            folders.clear()
        elif here != folder and {"job.json", "state.json"} <= set(files):  # another workspace's copies
            folders.clear()
            continue
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and name != "__MACOSX" and here / name != workspace_root
        ]
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() in EXTENSIONS | VIDEO_EXTENSIONS:
                yield here / name


def _unreadable(error: OSError) -> None:
    raise UserError(f"The folder {error.filename} cannot be read ({error.strerror}): check its rights.", 2)


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """Sorts IMG_2 before IMG_10."""
    parts = re.split(r"(\d+)", str(path).casefold())
    return [(1, int(part), "") if part.isascii() and part.isdigit() else (0, 0, part) for part in parts]


def safe_name(relative: Path, extension: str, taken: set[str]) -> str:
    """A name for the workspace: ASCII letters, digits, '.', '_' and '-', no folders, unlike those `taken`.

    COLMAP's text files split at spaces and name their files after the photos, so a photo's own name is kept
    only as far as it is harmless; photos.json holds the real one. `taken` (casefolded) is added to.
    """
    plain = unicodedata.normalize("NFKD", "_".join(relative.with_suffix("").parts))
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", plain.encode("ascii", "ignore").decode()).strip("._-")
    stem = stem[:80] or "photo"
    name, number = stem + extension, 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem}_{number}{extension}"
    taken.add(name.casefold())
    return name


def find_mask(folder: Path, photo: Path, relative: Path) -> Path | None:
    """The mask of a photo: `a/b.png`, `a/b.jpg.png` (COLMAP's way) or, anywhere, `b.png`."""
    for base in (relative, Path(photo.name)):
        for stem in (base.with_suffix(""), base):
            for extension in MASK_EXTENSIONS:
                candidate = folder / f"{stem}{extension}"
                if candidate.is_file():
                    return candidate
    return None


def common_folder(files: list[Path]) -> Path:
    """The folder that holds all files."""
    return Path(os.path.commonpath([str(file.parent) for file in files]))
