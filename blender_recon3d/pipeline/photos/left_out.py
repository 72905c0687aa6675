"""Messages about files that are not used: RAW files, videos, other formats, thumbnails."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..system.extra_packages import is_installed
from .extensions import OPTIONAL, is_system_folder
from .find_photos import Found
from .photo_quality import PhotoInfo
from .unread_files import DEVELOP, how_to_read

_OPTIONAL = frozenset().union(*OPTIONAL.values())
STACK = 3  # pictures in a file; with two, the second may be a thumbnail
NAMED = 3  # files or folders named in a message


@dataclass(frozen=True)
class Note:
    """weighty: whether the user should act on it."""

    text: str
    weighty: bool = True


def notes(listing: Found) -> list[Note]:
    """Notes on the files that are not used, the most serious first."""
    lines = []
    twins = {photo.with_suffix("") for photo in listing.photos}
    alone = [raw for raw in listing.raw if raw.with_suffix("") not in twins]
    if alone:
        lines.append(
            Note(f"{_count(alone, 'RAW file')} {_are(alone)} left out: {how_to_read('rawpy')}, or {DEVELOP}")
        )
    gifs = [path for path in listing.other if path.suffix.lower() == ".gif"]
    if gifs:
        lines.append(
            Note(
                f"{_count(gifs, 'GIF')} {_are(gifs)} left out, since GIFs do not preserve a photo's colors and "
                "size: use the video or the photos that it was made from."
            )
        )
    for name, kind in (("OpenEXR", "OpenEXR picture"), ("pillow_jxl", "JPEG XL picture")):
        if optional := [path for path in listing.other if path.suffix.lower() in OPTIONAL[name]]:
            lines.append(
                Note(
                    f"{_count(optional, kind)} {_are(optional)} left out: {how_to_read(name)}, or convert them to "
                    "JPEG, PNG or TIFF at full size."
                )
            )
    if other := [path for path in listing.other if path not in gifs and path.suffix.lower() not in _OPTIONAL]:
        lines.append(
            Note(
                f"{_count(other, 'picture')} in formats that cannot be read {_are(other)} left out: "
                "convert them to JPEG, PNG or TIFF at full size."
            )
        )
    if listing.away:
        lines.append(
            Note(
                f"{_count(listing.away, 'photo')} {_are(listing.away)} in iCloud and not on this computer: download "
                "them (Download Now in Finder), and run again."
            )
        )
    if listing.archives and not listing.photos and not listing.videos:
        lines.append(
            Note(f"{_count(listing.archives, 'archive')} {_are(listing.archives)} not opened: unpack first.")
        )
    if listing.videos_aside:
        videos = listing.videos_aside
        lines.append(
            Note(
                f"{_count(videos, 'video')} beside the photos {_are(videos)} not used: to take frames from a video, "
                "choose the video itself instead of the folder."
            )
        )
    if listing.misnamed:
        lines.append(
            Note(
                f"{_count(listing.misnamed, 'file')} {_are(listing.misnamed)} not named like photos, but used, "
                "since they contain photos.",
                False,
            )
        )
    if listing.covers:
        lines.append(
            Note(
                f"{_count(listing.covers, 'photo')} beside the video {_are(listing.covers)} left out, since the "
                "video's frames are used.",
                False,
            )
        )
    if len(alone) < len(listing.raw):
        count = len(listing.raw) - len(alone)
        lines.append(
            Note(
                f"{count} RAW file{'s' * (count != 1)} beside photos of the same name {'are' if count != 1 else 'is'} "
                "left out: the photos are used.",
                False,
            )
        )
    if listing.system:
        folders = sorted({_system_part(path) for path in listing.system})
        listed = ", ".join(folders[:NAMED]) + (" and others" if len(folders) > NAMED else "")
        count = len(listing.system)
        lines.append(
            Note(
                f"{count} picture{'s' * (count != 1)} in system folders ({listed}) {_are(listing.system)} "
                "left out: thumbnails or deleted files.",
                False,
            )
        )
    return lines


def missing_packages(listing: Found) -> list[str]:
    """The optional packages that would read more of the files."""
    twins = {photo.with_suffix("") for photo in listing.photos}
    unread = {
        path.suffix.lower() for path in [*listing.raw, *listing.other] if path.with_suffix("") not in twins
    }
    return [name for name, endings in OPTIONAL.items() if unread & endings and not is_installed(name)]


def pictures_left(photos: Iterable[PhotoInfo]) -> str:
    """A message if files contain more pictures than the one that is used (animations, stacks); otherwise empty."""
    several = [photo for photo in photos if photo.pictures >= STACK]
    if not several:
        return ""
    most = max(photo.pictures for photo in several)
    return (
        f"{_count([photo.path for photo in several], 'file')} {'hold' if len(several) != 1 else 'holds'} up to {most} "
        "pictures, of which only the first is used: to use all, export them as separate files, or use the video "
        "that they were made from."
    )


def _count(files: list[Path], word: str) -> str:
    names = ", ".join(path.name for path in files[:NAMED]) + (" and others" if len(files) > NAMED else "")
    return f"{len(files)} {word}{'s' * (len(files) != 1)} ({names})"


def _are(files: list[Path]) -> str:
    return "are" if len(files) != 1 else "is"


def _system_part(path: Path) -> str:
    return next(
        (part for part in path.parent.parts[::-1] if is_system_folder(part) and not part.startswith(".")), ""
    )
