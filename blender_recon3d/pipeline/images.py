"""Reading photographs: any common format, upright, eight bits; and what their EXIF says."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import ExifTags, Image, ImageOps

pillow_heif.register_heif_opener()

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".heic", ".heif"})
VIDEO_EXTENSIONS = frozenset({".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mts", ".mpg", ".mpeg"})
# What COLMAP reads as it is; everything else is converted on the way in.
PLAIN_FORMATS = {"JPEG": ("RGB", "L"), "PNG": ("RGB", "L"), "MPO": ("RGB",)}

DIAGONAL_35MM = 43.2666  # millimetres, of a 36 x 24 mm frame
MOST_PIXELS = 500_000_000  # a photograph is smaller; a bomb is not
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


@contextmanager
def open_photo(path: Path) -> Iterator[Image.Image]:
    """The photo, not yet decoded. Raises OSError, or ValueError for one that is too large to be a photo."""
    with warnings.catch_warnings():
        # Pillow warns of huge images and odd EXIF; sizes are checked below, and EXIF is only a hint.
        warnings.simplefilter("ignore")
        with Image.open(path) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"{image.width} x {image.height} pixels are too many")
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
    """The decoded photo in RGB, turned as EXIF says; 16-bit values are scaled, transparency goes to white."""
    turned = ImageOps.exif_transpose(image)
    if turned.mode.startswith(("I", "F")):
        values = np.asarray(turned, np.float64)
        top = 65535.0 if values.max(initial=0) > 255 else 255.0
        return Image.fromarray(np.clip(values * (255.0 / top), 0, 255).astype(np.uint8)).convert("RGB")
    if turned.mode in ("RGBA", "LA", "PA") or "transparency" in turned.info:
        rgba = turned.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return turned.convert("RGB")


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
