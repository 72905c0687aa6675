"""Read photos in any common format: upright, sRGB, eight bits."""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pillow_heif
from PIL import Image, ImageOps

from ..files.regular import open_regular
from ..system.extra_packages import is_installed
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
from .exif import read_exif
from .opened_photo import BYTES_PER_PIXEL as BYTES_OF_OTHERS
from .opened_photo import LINEAR, RAW, Opened
from .other_readers import kind_of, open_other
from .pixel_budget import PixelBudget, TooLargeError, bytes_needed, default_budget

pillow_heif.register_heif_opener()
if is_installed("pillow_jxl"):
    importlib.import_module("pillow_jxl")  # which registers itself

# The formats tried for a photo, whatever its name. Pillow goes by content and has a hundred formats, some of which run
# other programs (PostScript: Ghostscript).
_OPTIONAL_FORMATS = ("JXL",) if is_installed("pillow_jxl") else ()
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "HEIF", "AVIF", "BMP", *_OPTIONAL_FORMATS)  # MPO is read as JPEG
# Formats that COLMAP reads directly; everything else is converted on import.
PLAIN_FORMATS = {"JPEG": ("RGB", "L"), "PNG": ("RGB", "L"), "MPO": ("RGB",)}

MAX_PIXELS = 500_000_000  # guards against decompression bombs
STRIP = 1 << 20  # pixels converted at once
Image.MAX_IMAGE_PIXELS = (
    None  # Pillow's own limit of 179 million is too low for phones; ours is checked below
)


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
    with open_regular(path) as file:
        if kind := kind_of(path, file.read(16)):
            with _decoded(open_other(path, file, kind)) as image:
                yield image
            return
    with open_regular(path) as file, _quiet_open(file) as image:
        _check_pixels(image.width, image.height)
        progressive = bool(image.info.get("progressive"))
        needed = bytes_needed(image.format or "", image.width, image.height, progressive)
        bits = note_depth(image, file)
        if not image.mode.startswith(("I", "F")):
            needed = max(needed, BYTES_PER_PIXEL.get(bits, 0) * image.width * image.height)
        with pixel_budget().reserve(needed):
            yield image


@contextmanager
def _decoded(opened: Opened) -> Iterator[Image.Image]:
    """A photo that Pillow does not read, with its values."""
    pixels = opened.size[0] * opened.size[1]
    _check_pixels(*opened.size)
    with pixel_budget().reserve(BYTES_OF_OTHERS[opened.kind] * pixels):
        yield opened.image()


def _check_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise TooLargeError(
            f"{width} x {height} pixels are too many, the limit is {MAX_PIXELS // 10**6} megapixels"
        )


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
    if image.format == RAW:  # developed with a common white, which must stay so
        measured = Values(True, 0.0, 65535.0, 65535.0)
    measured = replace(measured, linear=image.format in LINEAR)
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
            alpha = opacity(part[..., -1:])
            colors = np.rint(255 - alpha * (255 - np.atleast_3d(colors))).astype(np.uint8).squeeze()
            colors = colors.reshape(*part.shape[:2], *colors.shape[2:])
        strip = Image.fromarray(np.ascontiguousarray(colors)).convert("RGB")
        whole.paste(_converted(strip, conversion), (0, top))
    return whole


def opacity(alpha: np.ndarray) -> np.ndarray:
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
