"""Find the user's photos in folders, lists of files and videos; and safe names for them."""

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
from ..system.extra_packages import is_installed
from .extensions import (
    ARCHIVES,
    EXTENSIONS,
    OPTIONAL,
    OTHER_PICTURES,
    RAW_EXTENSIONS,
    VIDEO_EXTENSIONS,
    is_picture,
)
from .folder_walk import Walk

MIN_PHOTOS = 3
MAX_OPENED = 5000  # files whose content is checked


@dataclass
class Found:
    """photos, videos: those used. The rest is also in the folder: pictures in system folders (system), RAW files that
    cannot be read or are beside a photo of the same name (raw), pictures in other formats, videos beside photos, photos
    beside a video (covers), archives, and photos in the cloud (away). misnamed: photos without a photo's extension."""

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


def find_photos(
    sources: Iterable[str], workspace_root: Path, masks: str = ""
) -> tuple[list[Path], list[Path]]:
    """The photo and video files among the result of `look_for` that are used."""
    listing = look_for(sources, workspace_root, masks)
    return listing.photos, listing.videos


def look_for(sources: Iterable[str], workspace_root: Path, masks: str = "") -> Found:
    """The photo and video files in `sources` (folders, files), in natural order, without duplicates.

    If a folder has none by name, files are recognized by content: copies without an extension, IMG_1.JPG~. Folders are
    searched recursively, including links; hidden entries, system folders, other kinds of files, `masks` (a folder or
    file) and workspaces are skipped. If a folder has photos and videos, the photos are used, unless they are too few.
    A file given by name is used whatever its extension, except for the video of a Live Photo that is given too.
    UserError (2) for a path that does not exist.
    """
    listing = Found()
    photos: dict[Path, None] = {}
    videos: dict[Path, None] = {}
    hidden = user_path(masks).absolute() if masks else None
    for text in sources:
        path = user_path(text).absolute()
        if path.is_dir():
            walk = Walk(path, workspace_root, hidden)
            chosen = _choose(walk, listing)
        elif path.exists():
            chosen = [path]
        else:
            raise UserError(f"{path} does not exist: give a folder of photos, photo files or a video.", 2)
        for file in chosen:
            if file == hidden:  # a photo of the empty scene
                continue
            (videos if file.suffix.lower() in VIDEO_EXTENSIONS else photos)[file] = None
    live = {photo.with_suffix("") for photo in photos}
    listing.photos = list(photos)
    listing.videos = [video for video in videos if video.with_suffix("") not in live]
    return listing


def _choose(walk: Walk, listing: Found) -> list[Path]:
    """The photos or videos of a folder; skipped files are added to `listing`."""
    listing.system += walk.system
    readable = readable_extensions()
    kinds = (RAW_EXTENSIONS, OTHER_PICTURES - readable, readable - RAW_EXTENSIONS, VIDEO_EXTENSIONS)
    raw, other, stills, videos = (sorted(walk.of(kind), key=natural_key) for kind in kinds)
    if readable & RAW_EXTENSIONS:  # beside a JPEG of the same shot a RAW file would count twice
        developed = {still.with_suffix("") for still in stills}
        alone = [path for path in raw if path.with_suffix("") not in developed]
        raw = [path for path in raw if path.with_suffix("") in developed]
        stills = sorted([*stills, *alone], key=natural_key)
    listing.raw += raw
    listing.other += other
    listing.away += sorted(walk.away, key=natural_key)
    listing.archives += [path for path in walk.other if path.suffix.lower() in ARCHIVES]
    if not (stills or videos):
        stills = [path for path in sorted(walk.other, key=natural_key)[:MAX_OPENED] if _is_picture(path)]
        listing.misnamed += stills
    if videos and len(stills) < MIN_PHOTOS:  # a video's cover image or thumbnail, written by cameras
        listing.covers += stills
        return videos
    # Phones write a short video of the same name beside each photo.
    names = {still.with_suffix("") for still in stills}
    listing.videos_aside += [video for video in videos if video.with_suffix("") not in names]
    return stills


def readable_extensions() -> frozenset[str]:
    """Extensions of the photos that can be read with the packages installed here."""
    optional = (endings for name, endings in OPTIONAL.items() if is_installed(name))
    return EXTENSIONS.union(*optional)


def _is_picture(path: Path) -> bool:
    try:
        with open_regular(path) as file:
            return is_picture(file.read(16))
    except OSError:
        return False


def none_found(sources: Iterable[str]) -> str:
    """The message if there are no photos at all."""
    return (
        f"No photos were found in {', '.join(sources) or 'nothing'}: give a folder with JPEG, PNG, TIFF, WebP, HEIC, "
        "AVIF or BMP files, or a video."
    )


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """A sort key that puts IMG_2 before IMG_10."""
    parts = re.split(r"(\d+)", str(path).casefold())
    return [(1, int(part), "") if part.isascii() and part.isdigit() else (0, 0, part) for part in parts]


def safe_name(relative: Path, extension: str, taken: set[str]) -> str:
    """A unique name for the workspace: ASCII letters, digits, '.', '_' and '-', no folders, not in `taken`.

    COLMAP's text files are split at spaces and name their files after the photos, so only the harmless part of a
    photo's own name is kept; photos.json has the real one. The name is added to `taken` (casefolded).
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
    """The deepest folder that contains all files."""
    return Path(os.path.commonpath([str(file.parent) for file in files]))
