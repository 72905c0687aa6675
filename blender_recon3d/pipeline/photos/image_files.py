"""Reading photographs: any common format, upright, eight bits; and what their EXIF says."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pillow_heif
from PIL import ExifTags, Image, ImageOps

from ..files.regular import open_regular
from .pixel_budget import PixelBudget, TooLargeError, bytes_needed, default_budget

pillow_heif.register_heif_opener()

# What a photo may be, whatever its name says. Pillow goes by content and knows a hundred formats, of which some run
# other programs (PostScript: Ghostscript); only these are ever tried.
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "HEIF")  # MPO comes by way of JPEG
# What COLMAP reads as it is; everything else is converted on the way in.
PLAIN_FORMATS = {"JPEG": ("RGB", "L"), "PNG": ("RGB", "L"), "MPO": ("RGB",)}

DIAGONAL_35MM = 43.2666  # millimetres, of a 36 x 24 mm frame
MOST_PIXELS = 500_000_000  # a photograph is smaller; a bomb is not
STRIP = 1 << 20  # pixels that are converted at once
Image.MAX_IMAGE_PIXELS = (
    None  # Pillow's own limit of 179 million refuses what phones take; ours is checked below
)


@dataclass(frozen=True)
class ExifInfo:
    """What the photograph says of its camera. Sizes in pixels, lengths in millimetres; None: it does not say."""

    make: str
    model: str
    focal_mm: float | None
    focal_35mm: float | None
    sensor_mm: float | None  # the longest side of the sensor
    orientation: int
    gps: tuple[float, float, float] | None


@functools.cache
def pixel_budget() -> PixelBudget:
    """What all threads' photos may take in memory at once."""
    from ..system.memory import memory_gb

    return default_budget(int(memory_gb()[0] * 2**30))


@contextmanager
def open_photo(path: Path) -> Iterator[Image.Image]:
    """The photo, not yet decoded; the memory that decoding takes is reserved until the block ends.

    So decode, and use the pixels, within the block, and open one photo at a time in a thread. Raises OSError for what
    is no file or no photo of FORMATS, and ValueError for one that is too large to be a photo.
    """
    with open_regular(path) as file, _quiet_open(file) as image:
        if image.width * image.height > MOST_PIXELS:
            raise TooLargeError(
                f"{image.width} x {image.height} pixels are too many, the limit is {MOST_PIXELS // 10**6} megapixels"
            )
        progressive = bool(image.info.get("progressive"))
        with pixel_budget().reserve(bytes_needed(image.format or "", image.width, image.height, progressive)):
            yield image


@contextmanager
def _quiet_open(file: BinaryIO) -> Iterator[Image.Image]:
    with warnings.catch_warnings():
        # Pillow warns of huge images and odd EXIF; sizes are checked, and EXIF is only a hint.
        warnings.simplefilter("ignore")
        with Image.open(file, formats=FORMATS) as image:
            yield image


def read_rgb(path: Path) -> np.ndarray:
    """An upright photo as uint8 [H, W, 3]."""
    with open_photo(path) as image:
        return np.asarray(upright_rgb(image))


def read_gray(path: Path) -> np.ndarray:
    """An upright photo as uint8 [H, W], ITU-R 601 luma."""
    with open_photo(path) as image:
        return np.asarray(upright_rgb(image).convert("L"))


def upright_rgb(image: Image.Image) -> Image.Image:
    """The decoded photo in RGB, turned as EXIF says; 16-bit values are scaled, transparency goes to white.

    `image` is changed: it is turned, and may be what is returned. Takes 4 bytes a pixel besides it at most.
    """
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode == "RGB" and "transparency" not in image.info:
        image.load()
        return image
    convert = _to_rgb
    if image.mode.startswith(("I", "F")):
        top = 65535 if _maximum(image) > 255 else 255
        convert = functools.partial(_scaled_to_rgb, top=top)
    whole = Image.new("RGB", image.size)
    for strip, corner in _strips(image):
        whole.paste(convert(strip), corner)
    return whole


def _strips(image: Image.Image) -> Iterator[tuple[Image.Image, tuple[int, int]]]:
    """The image in full-width pieces of about STRIP pixels, and where each belongs."""
    rows = max(1, STRIP // max(1, image.width))
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height))), (0, top)


def _maximum(image: Image.Image) -> float:
    return max((float(np.nanmax(np.asarray(strip), initial=0)) for strip, _ in _strips(image)), default=0.0)


def _scaled_to_rgb(strip: Image.Image, top: int) -> Image.Image:
    """Grey values from 0 to `top` (255 or 65535), in integers or floats, as 8 bits."""
    values = np.asarray(strip)
    if values.dtype.kind in "iu":
        eight = np.clip(values if top == 255 else values // 257, 0, 255)
    else:
        eight = np.nan_to_num(np.clip(values * np.float32(255 / top), 0, 255))
    return Image.fromarray(eight.astype(np.uint8)).convert("RGB")


def _to_rgb(strip: Image.Image) -> Image.Image:
    if strip.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in strip.info:
        rgba = strip.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return strip.convert("RGB")


def is_plain(image: Image.Image, orientation: int) -> bool:
    """True when COLMAP can read the file as it is and sees the same pixels as everybody else."""
    return (
        orientation == 1
        and image.mode in PLAIN_FORMATS.get(image.format or "", ())
        and "transparency" not in image.info
    )


def read_exif(image: Image.Image) -> ExifInfo:
    """EXIF is data from anywhere: whatever cannot be read counts as not said."""
    try:
        base = image.getexif()
        detail = base.get_ifd(ExifTags.IFD.Exif)
        place = base.get_ifd(ExifTags.IFD.GPSInfo)
    except Exception:  # Pillow's parser raises nearly anything on hostile EXIF
        return ExifInfo("", "", None, None, None, 1, None)
    orientation = base.get(ExifTags.Base.Orientation, 1)
    return ExifInfo(
        make=_text(base.get(ExifTags.Base.Make)),
        model=_text(base.get(ExifTags.Base.Model)),
        focal_mm=_positive(detail.get(ExifTags.Base.FocalLength)),
        focal_35mm=_positive(detail.get(ExifTags.Base.FocalLengthIn35mmFilm)),
        sensor_mm=_sensor_mm(detail),
        orientation=orientation if orientation in range(1, 9) else 1,
        gps=_gps(place),
    )


def focal_pixels(focal_35mm: float, width: int, height: int) -> float:
    """Focal length in pixels from its 35 mm equivalent, which CIPA DCG-001 defines over the diagonal."""
    return float(focal_35mm * np.hypot(width, height) / DIAGONAL_35MM)


def _sensor_mm(detail: dict[int, object]) -> float | None:
    """The sensor's longest side, from the density of its pixels and the size the photo was taken at.

    That size, not the file's: photos are often scaled down, and their EXIF is not.
    """
    density = _positive(detail.get(ExifTags.Base.FocalPlaneXResolution), most=1e6)
    unit = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}.get(detail.get(ExifTags.Base.FocalPlaneResolutionUnit, 2))  # type: ignore[call-overload]
    taken = [
        _positive(detail.get(tag), most=1e6) or 0.0
        for tag in (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)
    ]
    if not density or not unit or not max(taken):
        return None
    size = max(taken) / density * unit
    return size if 1 < size < 100 else None


def _text(value: object) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
    return "".join(sign for sign in text if sign.isprintable()).strip()[:80]


def _positive(value: object, most: float = 10_000) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if np.isfinite(number) and 0 < number < most else None


def _gps(place: dict[int, object]) -> tuple[float, float, float] | None:
    """Latitude and longitude in degrees, altitude in metres (0 when not said)."""
    try:
        angles = []
        for value, sign in ((ExifTags.GPS.GPSLatitude, "S"), (ExifTags.GPS.GPSLongitude, "W")):
            degrees, minutes, seconds = (float(part) for part in place[value])  # type: ignore[attr-defined]
            angle = degrees + minutes / 60 + seconds / 3600
            angles.append(-angle if place.get(value - 1) == sign else angle)
        altitude = float(place.get(ExifTags.GPS.GPSAltitude, 0.0))  # type: ignore[arg-type]
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    below = place.get(ExifTags.GPS.GPSAltitudeRef) in (1, b"\x01")
    good = abs(angles[0]) <= 90 and abs(angles[1]) <= 180 and np.isfinite(altitude)
    return (angles[0], angles[1], -altitude if below else altitude) if good else None
