"""Files and folders as users have them: formats, colors, thumbnails, copies."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from .case import PHOTOS, Case

EVERY = 2  # of the demo's photos: half of them are enough to surround the subject


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


def copies(folder: Path) -> Path:
    """Every photo twice, the second one saved again: a backup in the same folder."""
    for photo in originals():
        shutil.copy(photo, folder)
        with Image.open(photo) as image:
            image.save(folder / f"{photo.stem} (1).jpg", quality=70)
    return folder


def twelve_bits(folder: Path) -> Path:
    """Gray values of 12 bits in 16-bit PNG files, as machine vision cameras write them."""
    for photo in originals():
        gray = cv2.imread(str(photo), cv2.IMREAD_GRAYSCALE)
        cv2.imwrite(str(folder / f"{photo.stem}.png"), gray.astype(np.uint16) * 16)
    return folder


CASES = (
    Case("plain photos", plain),
    Case("thumbnails of a network drive", with_thumbnails),
    Case("every photo twice", copies),
    Case("12 bits in 16", twelve_bits),
)
