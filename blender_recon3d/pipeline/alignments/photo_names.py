"""Match a project's photos to the given ones, ignoring case, extension and folders of their names."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath

from ..documents.photos_json import PhotoEntry
from ..photos.extensions import EXTENSIONS, OTHER_PICTURES, RAW_EXTENSIONS

# Includes RAW files: other programs align these, while we get pictures developed from them.
_ENDINGS = EXTENSIONS | RAW_EXTENSIONS | OTHER_PICTURES


class PhotoNames:
    """The used photos of a workspace, found by the names that another program has for them."""

    def __init__(self, photos: Iterable[PhotoEntry]) -> None:
        self._by_stem: dict[str, list[tuple[list[str], str, PhotoEntry]]] = defaultdict(list)
        for photo in photos:
            folders, stem, ending = _parts(photo.source)
            self._by_stem[stem].append((folders, ending, photo))

    def find(self, name: str) -> PhotoEntry | None:
        """The photo of this name: of several, the one whose folders match best, and then its extension. None if there
        is none, or if two match equally well."""
        folders, stem, ending = _parts(name)
        fits = [
            (_agreeing(folders, own), ending == other, photo)
            for own, other, photo in self._by_stem.get(stem, [])
        ]
        best = max((fit[:2] for fit in fits), default=None)
        matches = [photo for agreeing, same, photo in fits if (agreeing, same) == best]
        return matches[0] if len(matches) == 1 else None

    def size(self, name: str) -> tuple[int, int] | None:
        """Width and height of the photo's pixels as stored, before EXIF's orientation is applied."""
        photo = self.find(name)
        if photo is None:
            return None
        return (
            (photo.height, photo.width) if photo.orientation in (5, 6, 7, 8) else (photo.width, photo.height)
        )


def _parts(name: str) -> tuple[list[str], str, str]:
    """Folders from last to first, stem and extension, all in lower case. Some programs omit the extension, and some
    systems decompose Unicode characters."""
    path = PurePosixPath(unicodedata.normalize("NFC", name.replace("\\", "/")).casefold())
    known = path.suffix in _ENDINGS
    folders = [part for part in reversed(path.parent.parts) if part not in (".", "/")]
    return folders, path.stem if known else path.name, path.suffix if known else ""


def _agreeing(first: list[str], second: list[str]) -> int:
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    return count
