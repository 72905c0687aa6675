"""How cameras are held and set: rotated photos, two zooms, wrong focal lengths in EXIF, a tripod, panoramas."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from .case import Case
from .inputs import originals

ZOOM = 1.6
TRIPOD_VIEWS = 10
FOCAL = 1.2  # in units of the longest side, for the photo that the tripod's are cut from


def upside_down(folder: Path) -> Path:
    """Every second photo, as in the back-and-forth strips of a drone."""
    for number, photo in enumerate(originals()):
        with Image.open(photo) as image:
            turned = image.rotate(180) if number % 2 else image.copy()
        turned.save(folder / photo.name, quality=95)
    return folder


def two_zooms(folder: Path) -> Path:
    """Every second photo cropped and enlarged to the same size, without EXIF, as messengers leave them."""
    for number, photo in enumerate(originals()):
        with Image.open(photo) as image:
            width, height = image.size
            if number % 2:
                left, top = width * (1 - 1 / ZOOM) / 2, height * (1 - 1 / ZOOM) / 2
                box = (round(left), round(top), round(width - left), round(height - top))
                image = image.resize((width, height), Image.Resampling.LANCZOS, box)
            image.convert("RGB").save(folder / photo.name, quality=95, exif=b"")
    return folder


def absurd_focal_length(folder: Path) -> Path:
    """An adapter reporting 6000 mm."""
    return _with_focal_length(folder, 6000)


def wrong_focal_length(folder: Path) -> Path:
    """A plausible one: 300 mm."""
    return _with_focal_length(folder, 300)


def _with_focal_length(folder: Path, millimeters: int) -> Path:
    """The photos, with this 35 mm equivalent in their EXIF."""
    for photo in originals():
        with Image.open(photo) as image:
            exif = image.getexif()
            exif.get_ifd(0x8769).update({0x920A: 50.0, 0xA405: millimeters})
            image.save(folder / photo.name, quality=95, exif=exif)
    return folder


def tripod(folder: Path) -> Path:
    """A camera that rotates without moving: homographies of one photo."""
    image = cv2.imread(str(originals()[0]))
    height, width = image.shape[:2]
    wide = np.array([[FOCAL * width, 0, width / 2], [0, FOCAL * width, height / 2], [0, 0, 1.0]])
    narrow = wide.copy()
    narrow[[0, 1], [0, 1]] *= 2
    for number in range(TRIPOD_VIEWS):
        angle = 2 * np.pi * number / TRIPOD_VIEWS
        turn, _ = cv2.Rodrigues(
            np.array([0.08 * np.sin(angle), 0.12 * np.cos(angle), 0.02 * np.sin(3 * angle)])
        )
        view = cv2.warpPerspective(image, narrow @ turn @ np.linalg.inv(wide), (width, height))
        cv2.imwrite(str(folder / f"tripod_{number:02d}.jpg"), view)
    return folder


def panoramas(folder: Path) -> Path:
    """Pictures of 2:1 with the metadata of spherical panoramas."""
    kind = b"<GPano:ProjectionType>equirectangular</GPano:ProjectionType>"
    tag = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + kind + b"</x:xmpmeta>"
    for photo in originals()[:5]:
        with Image.open(photo) as image:
            image.resize((1600, 800)).save(folder / photo.name, xmp=tag)
    return folder


CASES = (
    Case("every second photo upside down", upside_down, ("--features", "learned")),
    Case("two zooms without EXIF", two_zooms),
    Case("35 mm equivalent of 6000", absurd_focal_length),
    Case("35 mm equivalent of 300", wrong_focal_length),
    Case("a camera turned on a tripod", tripod, truth=None),
    Case("panoramas of 360 degrees", panoramas, truth=None),
)
