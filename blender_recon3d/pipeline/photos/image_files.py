"""Read photos in any common format: upright, sRGB, eight bits, and their EXIF."""

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
from .color_profiles import Conversion, conversion_to_srgb
from .deep_pixels import (
    BYTES_PER_PIXEL,
    ValueRange,
    Values,
    common_range,
    deep_values,
    is_deep,
    measure,
    note_depth,
)
from .gravity import Up, up_said
from .pixel_budget import PixelBudget, TooLargeError, bytes_needed, default_budget

pillow_heif.register_heif_opener()

# The formats tried for a photo, whatever its name. Pillow goes by content and has a hundred formats, some of which run
# other programs (PostScript: Ghostscript).
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "HEIF", "AVIF", "BMP")  # MPO is read as JPEG
# Formats that COLMAP reads directly; everything else is converted on import.
PLAIN_FORMATS = {"JPEG": ("RGB", "L"), "PNG": ("RGB", "L"), "MPO": ("RGB",)}

DIAGONAL_35MM = 43.2666  # millimeters, of a 36 x 24 mm frame
MAX_PIXELS = 500_000_000  # guards against decompression bombs
STRIP = 1 << 20  # pixels converted at once
Image.MAX_IMAGE_PIXELS = (
    None  # Pillow's own limit of 179 million is too low for phones; ours is checked below
)


@dataclass(frozen=True)
class ExifInfo:
    """The camera's data in the photo. Sizes in pixels, lengths in millimeters; None: not given."""

    make: str
    model: str
    focal_mm: float | None
    focal_35mm: float | None
    sensor_mm: float | None  # the longest side of the sensor
    orientation: int
    gps: tuple[float, float, float] | None
    digital_zoom: float | None = None  # None: none
    up: Up | None = None  # a unit vector in the upright photo's camera, measured by a gimbal or accelerometer


@functools.cache
def pixel_budget() -> PixelBudget:
    """The memory limit for the photos of all threads together."""
    from ..system.memory import memory_gb

    return default_budget(int(memory_gb()[0] * 2**30))


@contextmanager
def open_photo(path: Path) -> Iterator[Image.Image]:
    """The photo, not yet decoded; the memory for decoding is reserved until the block ends.

    Decode and use the pixels within the block, and open only one photo at a time per thread. Raises OSError if it is
    not a regular file or not a photo of FORMATS, and ValueError if it is too large.
    """
    with open_regular(path) as file, _quiet_open(file) as image:
        if image.width * image.height > MAX_PIXELS:
            raise TooLargeError(
                f"{image.width} x {image.height} pixels are too many, the limit is {MAX_PIXELS // 10**6} megapixels"
            )
        progressive = bool(image.info.get("progressive"))
        needed = bytes_needed(image.format or "", image.width, image.height, progressive)
        bits = note_depth(image, file)
        if not image.mode.startswith(("I", "F")):
            needed = max(needed, BYTES_PER_PIXEL.get(bits, 0) * image.width * image.height)
        with pixel_budget().reserve(needed):
            yield image


@contextmanager
def _quiet_open(file: BinaryIO) -> Iterator[Image.Image]:
    with warnings.catch_warnings():
        # Pillow warns about huge images and odd EXIF; sizes are checked here, and EXIF is only a hint.
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


def upright_rgb(image: Image.Image, values: ValueRange | None = None) -> Image.Image:
    """The photo in sRGB, 8 bits, rotated according to EXIF; transparency becomes white.

    values: black and white in a photo with more than 8 bits; by default from its own values. `image` is modified: it is
    rotated, and may be returned itself. Needs at most 4 more bytes per pixel, if it has 8 bits.
    """
    return upright_with_values(image, values)[0]


def upright_with_values(
    image: Image.Image, values: ValueRange | None = None
) -> tuple[Image.Image, Values | None]:
    """As `upright_rgb`, plus the values of a photo with more than 8 bits."""
    conversion = conversion_to_srgb(image)
    deep = deep_values(image)
    if deep is None:
        return _upright_shallow(image, conversion), None
    measured = measure(deep)
    whole = _deep_to_rgb(deep, values or common_range([measured]), conversion)
    orientation = 1 if image.format == "TIFF" else read_exif(image).orientation
    return (whole.transpose(_TURNS[orientation]) if orientation in _TURNS else whole), measured


def _upright_shallow(image: Image.Image, conversion: Conversion | None) -> Image.Image:
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode == "RGB" and "transparency" not in image.info:
        image.load()
        return _converted(image, conversion)
    whole = Image.new("RGB", image.size)
    for strip, corner in _strips(image):
        if conversion is None or conversion.mode != "CMYK":
            strip = _to_rgb(strip)
        whole.paste(_converted(strip, conversion), corner)
    return whole


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _converted(pixels: Image.Image, conversion: Conversion | None) -> Image.Image:
    if conversion is None:
        return pixels
    converted = conversion.apply(pixels)
    converted.info.pop("icc_profile", None)  # or readers of the saved file would apply it again
    return converted


def _strips(image: Image.Image) -> Iterator[tuple[Image.Image, tuple[int, int]]]:
    """The image in full-width pieces of about STRIP pixels, and their positions."""
    rows = max(1, STRIP // max(1, image.width))
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height))), (0, top)


def _deep_to_rgb(values: np.ndarray, span: ValueRange, conversion: Conversion | None) -> Image.Image:
    """Values [H, W(, C)] as 8-bit RGB, in strips."""
    height, width = values.shape[:2]
    whole = Image.new("RGB", (width, height))
    rows = max(1, STRIP // max(1, width))
    for top in range(0, height, rows):
        part = values[top : top + rows]
        channels = 1 if part.ndim == 2 else part.shape[2]
        colors = span.as_bytes(part[..., :3] if channels >= 3 else part if part.ndim == 2 else part[..., 0])
        if channels in (2, 4):
            alpha = _opacity(part[..., -1:])
            colors = np.rint(255 - alpha * (255 - np.atleast_3d(colors))).astype(np.uint8).squeeze()
            colors = colors.reshape(*part.shape[:2], *colors.shape[2:])
        strip = Image.fromarray(np.ascontiguousarray(colors)).convert("RGB")
        whole.paste(_converted(strip, conversion), (0, top))
    return whole


def _opacity(alpha: np.ndarray) -> np.ndarray:
    """Opacity from 0 to 1, from integers up to the largest of their type, or from floats."""
    top = np.iinfo(alpha.dtype).max if alpha.dtype.kind in "iu" else 1
    return np.clip(np.nan_to_num(alpha.astype(np.float32)) / top, 0, 1)


def _to_rgb(strip: Image.Image) -> Image.Image:
    if strip.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in strip.info:
        rgba = strip.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return strip.convert("RGB")


def is_plain(image: Image.Image, orientation: int) -> bool:
    """Whether COLMAP can read the file directly and gets the same pixels as other readers."""
    return (
        orientation == 1
        and image.mode in PLAIN_FORMATS.get(image.format or "", ())
        and "transparency" not in image.info
        and not is_deep(image)
        and conversion_to_srgb(image) is None
    )


def read_exif(image: Image.Image) -> ExifInfo:
    """The photo's EXIF, which is untrusted: values that cannot be read count as missing."""
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
        focal_mm=_positive(detail.get(ExifTags.Base.FocalLength), maximum=1e6),  # absurd ones are named later
        focal_35mm=_positive(detail.get(ExifTags.Base.FocalLengthIn35mmFilm), maximum=1e6),
        sensor_mm=_sensor_mm(detail),
        orientation=int(orientation) if orientation in range(1, 9) else 1,
        gps=_gps(place),
        digital_zoom=_digital_zoom(detail),
        up=up_said(image, detail, int(orientation) if orientation in range(1, 9) else 1),
    )


def _digital_zoom(detail: dict[int, object]) -> float | None:
    ratio = _positive(detail.get(ExifTags.Base.DigitalZoomRatio), maximum=200)
    return ratio if ratio and ratio > 1.01 else None


def focal_pixels(focal_35mm: float, width: int, height: int) -> float:
    """Focal length in pixels from its 35 mm equivalent, which CIPA DCG-001 defines over the diagonal."""
    return float(focal_35mm * np.hypot(width, height) / DIAGONAL_35MM)


def _sensor_mm(detail: dict[int, object]) -> float | None:
    """The sensor's longest side, from its pixel density and the original photo size in EXIF.

    Not the file's size: photos are often scaled down without updating EXIF.
    """
    density = _positive(detail.get(ExifTags.Base.FocalPlaneXResolution), maximum=1e6)
    unit = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}.get(detail.get(ExifTags.Base.FocalPlaneResolutionUnit, 2))  # type: ignore[call-overload]
    taken = [
        _positive(detail.get(tag), maximum=1e6) or 0.0
        for tag in (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)
    ]
    if not density or not unit or not max(taken):
        return None
    size = max(taken) / density * unit
    return size if 1 < size < 100 else None


def _text(value: object) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
    return "".join(sign for sign in text if sign.isprintable()).strip()[:80]


def _positive(value: object, maximum: float = 10_000) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if np.isfinite(number) and 0 < number < maximum else None


def _gps(place: dict[int, object]) -> tuple[float, float, float] | None:
    """Latitude and longitude in degrees, altitude in meters (0 if missing)."""
    angles = [
        _angle(place.get(value), _text(place.get(value - 1)).upper().startswith(negative))
        for value, negative in ((ExifTags.GPS.GPSLatitude, "S"), (ExifTags.GPS.GPSLongitude, "W"))
    ]
    latitude, longitude = angles
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    try:
        altitude = float(place.get(ExifTags.GPS.GPSAltitude, 0.0))  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        altitude = 0.0
    below = place.get(ExifTags.GPS.GPSAltitudeRef) in (1, b"\x01")
    return latitude, longitude, (-altitude if below else altitude) if np.isfinite(altitude) else 0.0


def _angle(parts: object, negative: bool) -> float | None:
    """Degrees from degrees, minutes and seconds, of which the last ones may be missing."""
    try:
        values = [float(part) for part in (parts if isinstance(parts, tuple) else (parts,))]  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    if not 1 <= len(values) <= 3 or not np.isfinite(values).all():
        return None
    angle = sum(value / 60**place for place, value in enumerate(values))
    return -angle if negative else angle
