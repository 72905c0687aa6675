"""Photos with more than 8 bits per channel: their values, and their conversion to 8 bits.

Such files do not define white. Machine vision and thermal cameras write 12 bits into 16; floats range from 0 to 1, to
65535, or are HDR. So the values of all photos of a camera determine one common range: photos scaled individually by
their brightest spot would differ in exposure. numpy and OpenCV; Pillow truncates colors to 8 bits.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO

import cv2
import numpy as np
from PIL import Image, TiffImagePlugin

from .opened_photo import VALUES

LOOKED_AT = 1_000_000  # values used for the percentiles
WHITES = (255, 1023, 4095, 16383, 32767, 65535)  # of 8, 10, 12, 14, 15 (signed) and 16 bits
NARROW = 1 / 8  # of the range up to white; a narrower range of values is stretched
OVERSHOOT = 2.0  # maximum of single pixels in floats from 0 to 1
DIM = 0.2  # of white; if a capture's brightest values stay below, the assumed white is wrong
_COLORED = ("RGB", "RGBA", "RGBX", "LA")
_NOTE = "recon3d depth"  # in an image's info: the file and its bits a channel
BYTES_PER_PIXEL = {16: 26, 32: 44, 64: 76}  # at the peak of decoding colors, by bits of a channel

# Pillow refuses floats in color. It still reads header, EXIF and size; OpenCV reads the pixels.
_KNOWN: dict[Any, tuple[str, str]] = dict(TiffImagePlugin.OPEN_INFO)
for _order in (b"II", b"MM"):
    for _sample in ((3,), (3, 3, 3)):
        _KNOWN[_order, 2, _sample, 1, (32, 32, 32), ()] = _KNOWN[_order, 2, _sample, 1, (64, 64, 64), ()] = (
            "RGB",
            "RGB",
        )
    for _four in ((3,), (3, 3, 3, 3)):
        for _extra in ((0,), (1,), (2,)):
            _KNOWN[_order, 2, _four, 1, (32, 32, 32, 32), _extra] = ("RGBA", "RGBA")
    _KNOWN[_order, 1, (3,), 1, (64,), ()] = ("F", "F;64F")
TiffImagePlugin.OPEN_INFO.update(_KNOWN)


class SeparatePlanesError(ValueError):
    """OpenCV misreads the planes of such a TIFF as rows of pixels."""


@dataclass(frozen=True)
class Values:
    """A photo's values: whether they are integers, their percentiles 0.5 and 99.5, and the largest. linear: whether the
    format defines them as linear in light (OpenEXR, Radiance HDR)."""

    whole: bool
    low: float
    high: float
    highest: float
    linear: bool = False


@dataclass(frozen=True)
class ValueRange:
    """The values of black and white. light: whether values are linear in light, and need sRGB's curve."""

    low: float
    high: float
    light: bool = False

    def as_bytes(self, values: np.ndarray) -> np.ndarray:
        """uint8 of the same shape; NaN becomes black."""
        return np.rint(self.displayed(values, 1.0) * 255).astype(np.uint8)

    def displayed(self, values: np.ndarray, limit: float) -> np.ndarray:
        """float32 of the same shape: from 0 for black to 1 for white, with sRGB's curve, which continues for light
        beyond white, up to `limit` times white; NaN becomes black."""
        with np.errstate(all="ignore"):
            scaled = (values.astype(np.float32) - np.float32(self.low)) / np.float32(self.high - self.low)
            scaled = np.clip(np.nan_to_num(scaled, nan=0.0, posinf=limit, neginf=0.0), 0, limit)
        return encoded(scaled) if self.light else scaled

    def contrast(self) -> float:
        """8-bit steps per step of the values."""
        return 255 / (self.high - self.low)


def encoded(light: np.ndarray) -> np.ndarray:
    """Light, from 0 up, with sRGB's curve (IEC 61966-2-1), which continues beyond 1."""
    curve: np.ndarray = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return curve.astype(np.float32)


def decoded(display: np.ndarray) -> np.ndarray:
    """The inverse of `encoded`."""
    light: np.ndarray = np.where(display <= 0.04045, display / 12.92, ((display + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)


def note_depth(image: Image.Image, file: BinaryIO) -> int:
    """Bits per channel in the file: 8, or 16, 32, 64 for a deep photo, which is noted in the image's `info`.

    Call before Pillow decodes: PNGs are decoded as soon as their EXIF is read.
    """
    if image.mode.startswith(("I", "F")):
        return 16 if image.mode.startswith("I;16") else 32
    bits = 8
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        with contextlib.suppress(TypeError, ValueError):
            bits = max(image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (8,)))
    elif any(str(tile[3]).endswith(";16B") for tile in getattr(image, "tile", ())):
        bits = 16
    if bits not in (16, 32, 64) or image.mode not in _COLORED:
        return 8
    image.info[_NOTE] = file, bits
    return bits


def is_deep(image: Image.Image) -> bool:
    return VALUES in image.info or _NOTE in image.info or image.mode.startswith(("I", "F"))


def deep_values(image: Image.Image) -> np.ndarray | None:
    """Values [H, W] or [H, W, 2, 3 or 4] (color as RGB, then alpha) as in the file; None for 8 bits.

    Those of a TIFF are upright, since both readers rotate it; others are not. OSError for color floats that OpenCV
    cannot read either, SeparatePlanesError for colors in planes.
    """
    if VALUES in image.info:
        return np.asarray(image.info[VALUES])
    if image.mode.startswith(("I", "F")):
        return _gray_values(image)
    if _NOTE not in image.info:
        return None
    file, bits = image.info[_NOTE]
    if _tag(image, TiffImagePlugin.PLANAR_CONFIGURATION) == 2:
        raise SeparatePlanesError("interleaved ones (chunky, pixel by pixel)")
    file.seek(0)
    content = np.frombuffer(file.read(), np.uint8)
    try:
        values = cv2.imdecode(content, cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        values = None
    if values is None or values.dtype.itemsize == 1 or values.shape[1::-1] != image.size:
        if bits > 16:
            raise OSError("cannot identify image file")
        return None  # fall back to the upper 8 bits
    if values.ndim == 3 and values.shape[2] >= 3:
        values[..., :3] = values[..., 2::-1].copy()
    return values


def _gray_values(image: Image.Image) -> np.ndarray:
    """Gray values with white as the largest, and 32 bits as unsigned, unlike Pillow's."""
    white_is_zero = _tag(image, TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0
    unsigned = image.mode == "I" and _tag(image, TiffImagePlugin.SAMPLEFORMAT) in (None, 1, (1,))
    values = np.asarray(image)
    if unsigned and isinstance(image, TiffImagePlugin.TiffImageFile):
        values = values.view(np.uint32)
    if white_is_zero and values.dtype.kind in "iu" and values.size:
        highest = int(values.max())
        values = next((white for white in WHITES if highest <= white), highest) - values
    return values


def _tag(image: Image.Image, tag: int) -> Any:
    """A TIFF tag's value; None if it is missing or this is not a TIFF."""
    return image.tag_v2.get(tag) if isinstance(image, TiffImagePlugin.TiffImageFile) else None


def measure(values: np.ndarray) -> Values:
    """Statistics of a photo's colors [H, W(, C)], ignoring alpha."""
    colors = values if values.ndim == 2 else values[..., : 3 if values.shape[2] >= 3 else 1]
    sample = colors.reshape(-1)[:: max(1, colors.size // LOOKED_AT)].astype(np.float64)
    sample = sample[np.isfinite(sample)]
    whole = values.dtype.kind in "iu"
    if not len(sample):
        return Values(whole, 0.0, 0.0, 0.0)
    low, high = np.quantile(sample, [0.005, 0.995])
    highest = float(colors.max()) if whole else float(np.nanmax(np.where(np.isinf(colors), np.nan, colors)))
    return Values(whole, float(low), float(high), highest)


def common_range(measured: Iterable[Values]) -> ValueRange:
    """The common range for photos of one camera; either all of them are integers, or none."""
    photos = list(measured)
    low, high = min(v.low for v in photos), max(v.high for v in photos)
    highest = max(v.highest for v in photos)
    if photos[0].linear:
        return _exposed(photos)
    if photos[0].whole and low < 0:  # signed numbers about zero
        return ValueRange(low, high) if high > low else ValueRange(low, low + 1)
    if photos[0].whole:
        white = float(next((white for white in WHITES if highest <= white), highest))
        return _stretched(low, high, white)
    if low >= 0 and high <= 1.001 and highest <= OVERSHOOT:
        return _stretched(low, high, 1.0)
    white = float(next((white for white in WHITES if highest <= white * 1.001), highest))
    if low >= 0 and white in WHITES and high >= DIM * white:
        return _stretched(low, high, white)
    if low < 0 or low > 0.3 * high:  # temperatures or depths, not light
        return ValueRange(low, high) if high > low else ValueRange(low, low + 1)
    return _exposed(photos)


def _exposed(photos: list[Values]) -> ValueRange:
    """Light, exposed so that half of the photos are burnt out nowhere but in their brightest half percent."""
    bright = float(np.median([v.high for v in photos]))
    return ValueRange(0.0, bright, light=True) if bright > 0 else ValueRange(0.0, 1.0, light=photos[0].linear)


def _stretched(low: float, high: float, white: float) -> ValueRange:
    """From 0 to white, or the values' own range if they fill little of it."""
    if low < high < low + NARROW * white and white > WHITES[0]:
        return ValueRange(low, high)
    return ValueRange(0.0, max(white, 1e-9))
