"""Files and folders as they come: formats, colors, thumbnails, copies."""

from __future__ import annotations

import shutil
from pathlib import Path

from PIL import Image

from .case import PHOTOS, Case

EVERY = 2  # of the demo's photos: half of them surround the subject


def originals() -> list[Path]:
    return sorted(PHOTOS.glob("*.jpg"))[::EVERY]


def plain(folder: Path) -> Path:
    for photo in originals():
        shutil.copy(photo, folder)
    return folder


def with_thumbnails(folder: Path) -> Path:
    """A Synology share: four smaller copies of every photo in @eaDir."""
    for photo in originals():
        shutil.copy(photo, folder)
        beside = folder / "@eaDir" / photo.name
        beside.mkdir(parents=True)
        with Image.open(photo) as image:
            for name, width in (("XL", 1280), ("B", 640), ("M", 320), ("S", 120)):
                size = (width, round(image.height * width / image.width))
                image.resize(size).save(beside / f"SYNOPHOTO_THUMB_{name}.jpg")
    return folder


CASES = (
    Case("plain photos", plain),
    Case("thumbnails of a network drive", with_thumbnails),
)
