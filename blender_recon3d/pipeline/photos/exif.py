"""The camera's data in a photo's EXIF."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image

from .gravity import Up, up_said

DIAGONAL_35MM = 43.2666  # millimeters, of a 36 x 24 mm frame


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
