"""Finding the photos a person means in folders, lists of files and videos; and safe names for them."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import UserError
from ..files.regular import open_regular
from ..files.user_path import user_path
from .extensions import ARCHIVES, EXTENSIONS, OTHER_PICTURES, RAW_EXTENSIONS, VIDEO_EXTENSIONS, is_picture
from .folder_walk import Walk

MIN_PHOTOS = 3
MAX_OPENED = 5000  # files whose content is asked for


@dataclass
class Found:
    """photos, videos: those used. The rest is what lies there too: pictures in folders of the system (system), RAW
    files, pictures of other formats, videos beside photos, photos beside a video (covers), archives, and photos that
    are in a cloud (away). misnamed: those of the photos that are called otherwise."""

    photos: list[Path] = field(default_factory=list)
    videos: list[Path] = field(default_factory=list)
    system: list[Path] = field(default_factory=list)
    raw: list[Path] = field(default_factory=list)
    other: list[Path] = field(default_factory=list)
    videos_aside: list[Path] = field(default_factory=list)
    covers: list[Path] = field(default_factory=list)
    misnamed: list[Path] = field(default_factory=list)
    archives: list[Path] = field(default_factory=list)
    away: list[Path] = field(default_factory=list)


def find_photos(given: Iterable[str], workspace_root: Path, masks: str = "") -> tuple[list[Path], list[Path]]:
    """The photo and video files that are used of what `look_for` finds."""
    found = look_for(given, workspace_root, masks)
    return found.photos, found.videos


def look_for(given: Iterable[str], workspace_root: Path, masks: str = "") -> Found:
    """The photo and video files that `given` (folders, files) stand for, in natural order, without repeats.

    Where a folder has none by name, those count that are some by content: copies without an ending, IMG_1.JPG~.
    Folders are searched recursively, through links too; hidden entries, folders of the system, other kinds of files,
    the folder of masks and what workspaces hold are passed over. Of photos and videos in one folder the photos count,
    unless they are too few. A file named outright is taken whatever its name ends in, but for the video of a Live Photo
    that is given too. UserError (2) for a path that is not there.
    """
    found = Found()
    photos: dict[Path, None] = {}
    videos: dict[Path, None] = {}
    for text in given:
        path = user_path(text).absolute()
        if path.is_dir():
            walk = Walk(path, workspace_root, user_path(masks).absolute() if masks else None)
            chosen = _choose(walk, found)
        elif path.exists():
            chosen = [path]
        else:
            raise UserError(f"{path} does not exist: give a folder of photos, photo files or a video.", 2)
        for file in chosen:
            (videos if file.suffix.lower() in VIDEO_EXTENSIONS else photos)[file] = None
    live = {photo.with_suffix("") for photo in photos}
    found.photos = list(photos)
    found.videos = [video for video in videos if video.with_suffix("") not in live]
    return found


def _choose(walk: Walk, found: Found) -> list[Path]:
    """Photos or videos of a folder; what is left out is told in `found`."""
    found.system += walk.system
    kinds = (RAW_EXTENSIONS, OTHER_PICTURES, EXTENSIONS, VIDEO_EXTENSIONS)
    raw, other, stills, videos = (sorted(walk.of(kind), key=natural_key) for kind in kinds)
    found.raw += raw
    found.other += other
    found.away += sorted(walk.away, key=natural_key)
    found.archives += [path for path in walk.other if path.suffix.lower() in ARCHIVES]
    if not (stills or videos):
        stills = [path for path in sorted(walk.other, key=natural_key)[:MAX_OPENED] if _is_picture(path)]
        found.misnamed += stills
    if videos and len(stills) < MIN_PHOTOS:  # what cameras put beside a video: its cover, a thumbnail
        found.covers += stills
        return videos
    # Phones put a short video beside each photo, with its name.
    names = {still.with_suffix("") for still in stills}
    found.videos_aside += [video for video in videos if video.with_suffix("") not in names]
    return stills


def _is_picture(path: Path) -> bool:
    try:
        with open_regular(path) as file:
            return is_picture(file.read(16))
    except OSError:
        return False


def none_found(given: Iterable[str]) -> str:
    """The sentence where there is nothing at all."""
    return (
        f"No photos were found in {', '.join(given) or 'nothing'}: give a folder with JPEG, PNG, TIFF, WebP, HEIC, "
        "AVIF or BMP files, or a video."
    )


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


def common_folder(files: list[Path]) -> Path:
    """The folder that holds all files."""
    return Path(os.path.commonpath([str(file.parent) for file in files]))
