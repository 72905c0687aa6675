"""Which photos can be used, and why the others cannot. A bad photo never stops a run."""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from ..files.regular import NotAFileError, open_regular
from ..system.extra_packages import is_installed
from . import panoramas
from .deep_pixels import SeparatePlanesError, ValueRange, Values, common_range
from .exif import ExifInfo, read_exif
from .extensions import RAW_EXTENSIONS
from .image_files import is_plain, open_photo, upright_with_values
from .masks import IS_MASK, is_mask
from .panoramas import is_panorama
from .pixel_budget import TooLargeError
from .same_view import Sketch, groups, sketch
from .unread_files import HEAD, what_it_is

MAX_BYTES = 4 << 30  # of a file; a sparse one may claim terabytes
SMALLEST_SIDE = 200  # pixels; smaller photos have too few features for any front-end
NARROWEST, LONGEST = (
    64,
    20,
)  # pixels, and times the other side: COLMAP crashes on photos one pixel high
SMALL_AGAINST_REST = 0.25  # of the median longest side
WORK_SIZE = 1000  # longest side at which sharpness is measured, since that matters for matching
# Measured on captures of statues, a tree, facades and a smooth white head, sharp and with blur added: sharp
# photos stay within e^-0.8 of their median in both measures, blur of 2.5 px at WORK_SIZE falls below e^-3.3
# and e^-1.6.
BLUR_LAPLACIAN = 8.0
BLUR_RATIO = 1.65
BLUR_ALONE = (
    80.0  # of the first measure: strong blur also removes the coarser detail that the ratio compares with
)
SCREENSHOT = re.compile(
    r"(?i)screen ?shot|screen[-_]|bildschirmfoto|capture d.{0,3}.cran|captura de pantalla|schermata|"
    r"\u30b9\u30af\u30ea\u30fc\u30f3\u30b7\u30e7\u30c3\u30c8|\u622a\u5c4f|\u622a\u56fe"  # Japanese, Chinese
)
MAX_BLURRED = 0.3  # share of the photos; if more, the whole capture looks like that


@dataclass
class PhotoInfo:
    """Data of one photo file. Sizes are of the upright photo, in pixels."""

    path: Path
    reason: str = ""  # why it is excluded; empty if it is used
    width: int = 0
    height: int = 0
    exif: ExifInfo | None = None
    plain: bool = False
    format: str = ""  # Pillow's name of it: JPEG, PNG, TIFF ...
    digest: str = ""
    sharpness: tuple[float, float] = field(default=(0.0, 0.0))
    values: Values | None = None  # of a photo of more than 8 bits a channel
    value_range: ValueRange | None = None  # what becomes black and white of these, for all of a camera
    sketch: Sketch | None = None
    bytes: int = 0
    panorama: bool = False  # of 360 degrees, to be cut into views
    side: str = ""  # of the panorama, if this is one of its views
    pictures: int = 1  # in the file, of which the first is the photo


def examine(path: Path) -> PhotoInfo:
    """Read and decode one file; problems with it are recorded, not raised."""
    info = PhotoInfo(path)
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            info.bytes = size
            if not size:
                info.reason = "the file is empty (0 bytes)"
                return info
            if size > MAX_BYTES:
                info.reason = f"too large ({size / 2**30:.1f} GB; the limit is {MAX_BYTES >> 30} GB)"
                return info
            info.digest = hashlib.file_digest(file, "sha256").hexdigest()
        if path.suffix.lower() in RAW_EXTENSIONS and not is_installed(
            "rawpy"
        ):  # as TIFF they hold a thumbnail
            info.reason = what_it_is(path, b"")
            return info
        with open_photo(path) as image:
            info.exif = read_exif(image)
            info.plain = is_plain(image, info.exif.orientation)
            info.format = image.format or ""
            info.pictures = _pictures(image)
            pixels, info.values = upright_with_values(image)
            info.width, info.height = pixels.size
            if max(pixels.size) < SMALLEST_SIDE:
                info.reason = f"far too small ({info.width} x {info.height} pixels)"
                return info
            if min(pixels.size) < NARROWEST or max(pixels.size) > LONGEST * min(pixels.size):
                info.reason = f"a strip, not a photo ({info.width} x {info.height} pixels)"
                return info
            gray = np.asarray(pixels.convert("L"))
            info.panorama = is_panorama(image, gray, bool(info.exif.focal_mm or info.exif.focal_35mm))
            if info.panorama and abs(info.width / (2 * info.height) - 1) > panoramas.RATIO:
                info.reason = panoramas.PARTIAL
                return info
            if is_mask(gray):
                info.reason = IS_MASK
                return info
            info.sharpness, info.sketch = sharpness(gray), sketch(gray)
    except (OSError, ValueError, SyntaxError, MemoryError, EOFError) as error:
        info.reason = _why_unreadable(path, error)
    except Exception as error:  # decoders of rare formats raise nearly anything on hostile files
        info.reason = f"not a readable image ({type(error).__name__})"
    return info


def _pictures(image: Image.Image) -> int:
    """The number of frames or TIFF pages. A phone's second picture is a preview or a depth map."""
    if image.format not in ("WEBP", "AVIF", "PNG", "TIFF"):
        return 1
    return int(getattr(image, "n_frames", 1))


def _why_unreadable(path: Path, error: Exception) -> str:
    text = str(error)
    if isinstance(error, NotAFileError):
        return str(error.strerror)
    if isinstance(error, TooLargeError):
        return f"too large ({text}): scale it down"
    if isinstance(error, PermissionError):
        return "no permission to read it"
    if isinstance(error, MemoryError):
        return "too large for this machine's memory: scale it down"
    if "truncated" in text or "unexpected end" in text.lower() or isinstance(error, EOFError):
        return "the file is truncated"
    if text.startswith("LibRaw"):
        return f"a RAW file that LibRaw cannot read ({text.partition(': ')[2]}): convert it to DNG or TIFF"
    if "cannot identify" in text:
        return what_it_is(path, _head(path))
    if isinstance(error, SeparatePlanesError):
        return f"a TIFF with its colors in separate planes: save it with {text}"
    return "not a readable image"


def _head(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read(HEAD)
    except OSError:
        return b""


def sharpness(gray: np.ndarray) -> tuple[float, float]:
    """Variance of the Laplacian at WORK_SIZE, and its ratio to that at a quarter of it.

    The first measures fine detail, the second fine detail relative to the scene's overall detail.
    """
    scale = min(1.0, WORK_SIZE / max(gray.shape))
    size = (max(8, round(gray.shape[1] * scale)), max(8, round(gray.shape[0] * scale)))
    fine = cv2.resize(gray, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    coarse = cv2.resize(fine, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    detail = float(cv2.Laplacian(fine, cv2.CV_32F).var())
    return detail, detail / max(float(cv2.Laplacian(coarse, cv2.CV_32F).var()), 1e-6)


def set_aside(photos: list[PhotoInfo], keep_blurred: bool = False, keep_copies: bool = False) -> None:
    """Exclude photos by comparison with the others: duplicates, several of one view, screenshots, far too small, badly
    blurred."""
    _share_ranges(photos)
    _set_aside_duplicates(photos)
    _set_aside_screenshots([photo for photo in photos if not photo.reason])
    if not keep_copies:
        _set_aside_copies([photo for photo in photos if not photo.reason])
    used = [photo for photo in photos if not photo.reason]
    if not used:
        return
    typical = float(np.median([max(photo.width, photo.height) for photo in used]))
    for photo in used:
        if max(photo.width, photo.height) < SMALL_AGAINST_REST * typical:
            photo.reason = (
                f"far too small ({photo.width} x {photo.height} pixels; the others have {typical:.0f})"
            )
    if not keep_blurred:
        _set_aside_blurred([photo for photo in used if not photo.reason])


def _share_ranges(photos: list[PhotoInfo]) -> None:
    """Give each camera's photos with more than 8 bits a common range, and measure their sharpness in it."""
    cameras: dict[Any, list[tuple[PhotoInfo, Values]]] = defaultdict(list)
    for photo in photos:
        if photo.values is not None and not photo.reason:
            exif = photo.exif
            key = (exif.make, exif.model) if exif else ("", "")
            cameras[*key, photo.values.whole, photo.values.linear].append((photo, photo.values))
    for members in cameras.values():
        shared = common_range(values for _, values in members)
        for photo, values in members:
            ratio = shared.contrast() / common_range([values]).contrast()
            photo.sharpness = photo.sharpness[0] * ratio**2, photo.sharpness[1]
            photo.value_range = shared


def _set_aside_duplicates(photos: list[PhotoInfo]) -> None:
    first: dict[str, PhotoInfo] = {}
    for photo in photos:
        if photo.reason:
            continue
        original = first.setdefault(photo.digest, photo)
        if original is not photo:
            photo.reason = f"the same file as {original.path.name}"


def _set_aside_screenshots(photos: list[PhotoInfo]) -> None:
    """Exclude photos named like screenshots without a camera in EXIF, if most photos have one."""
    taken = [photo for photo in photos if photo.exif is not None and (photo.exif.make or photo.exif.model)]
    if 2 * len(taken) <= len(photos):
        return
    named = {id(photo) for photo in taken}
    for photo in photos:
        if id(photo) not in named and SCREENSHOT.match(photo.path.stem):
            photo.reason = "a screenshot among photos of a camera"


def _set_aside_copies(photos: list[PhotoInfo]) -> None:
    """Exclude all but the best photo of every view."""
    photos = [photo for photo in photos if photo.sketch is not None]
    for numbers in groups([photo.sketch for photo in photos if photo.sketch is not None]):
        members = [photos[number] for number in numbers]
        best = max(
            members, key=partial(_worth, max_pixels=max(photo.width * photo.height for photo in members))
        )
        for photo in members:
            if photo is not best:
                photo.reason = (
                    "it shows what another photo shows, from the same place "
                    f"(a copy, bracket or burst of {best.path.name}; used too if copies are kept)"
                )


def _worth(photo: PhotoInfo, max_pixels: int) -> tuple[float, ...]:
    """A sort key: full size, a camera in EXIF, the exposure with the least clipping, then the larger file."""
    exif = photo.exif
    clipped = photo.sketch.clipped if photo.sketch else 1.0
    return (
        photo.width * photo.height >= 0.97 * max_pixels,
        exif is not None and bool(exif.model or exif.focal_mm),
        -round(20 * clipped),
        photo.bytes,
    )


def _set_aside_blurred(photos: list[PhotoInfo]) -> None:
    if len(photos) < 4:
        return
    values = np.array([photo.sharpness for photo in photos])
    detail, ratio = (np.median(values, axis=0) / np.maximum(values, 1e-9)).T
    blurred = [
        photo
        for photo, d, r in zip(photos, detail, ratio, strict=True)
        if (d > BLUR_LAPLACIAN and r > BLUR_RATIO) or d > BLUR_ALONE
    ]
    if len(blurred) <= MAX_BLURRED * len(photos):
        for photo in blurred:
            photo.reason = "badly blurred compared with the rest"
