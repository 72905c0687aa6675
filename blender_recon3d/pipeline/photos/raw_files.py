"""Develop camera RAW files by LibRaw (rawpy): the camera's white balance, sRGB, 16 bits, upright.

All photos get the same treatment. LibRaw's own brightening and its choice of white from the picture would give each
photo another exposure, so both are off. rawpy is optional (system/extra_packages.py).
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image

from ..files.regular import open_regular
from .opened_photo import RAW, Opened

HEAD = 4 << 20  # bytes in which the metadata is looked for
SRGB_CURVE = (2.4, 12.92)  # LibRaw's terms: the power, and the slope in the shadows
_TIFF_STARTS = {
    b"II*\0": b"II*\0",
    b"MM\0*": b"MM\0*",
    b"IIRO": b"II*\0",
    b"IIRS": b"II*\0",
    b"IIU\0": b"II*\0",
}
_XMP = 700
_KEPT = (ExifTags.Base.Make, ExifTags.Base.Model)
_KEPT_DETAIL = (
    ExifTags.Base.FocalLength, ExifTags.Base.FocalLengthIn35mmFilm, ExifTags.Base.DigitalZoomRatio,
    ExifTags.Base.FocalPlaneXResolution, ExifTags.Base.FocalPlaneResolutionUnit, ExifTags.Base.ExifImageWidth,
    ExifTags.Base.ExifImageHeight, ExifTags.Base.DateTimeOriginal,
)  # fmt: skip


def open_raw(path: Path) -> Opened:
    """Read the header. OSError if LibRaw does not know the camera, or the file is damaged."""
    import rawpy

    with open_regular(path):
        pass  # it may be a pipe or a folder
    try:
        with rawpy.imread(str(path)) as raw:
            sizes = raw.sizes
            turned = sizes.flip in (5, 6)
            size = (sizes.iheight, sizes.iwidth) if turned else (sizes.iwidth, sizes.iheight)
            thumbnail = _thumbnail(rawpy, raw)
    except rawpy.LibRawError as error:
        raise OSError(f"LibRaw: {_said(error)}") from error
    exif, xmp = _metadata(path, thumbnail)
    return Opened(RAW, size, lambda: _develop(rawpy, path), exif, xmp)


def _develop(package: Any, path: Path) -> np.ndarray:
    """uint16 [H, W, 3]."""
    try:
        with package.imread(str(path)) as raw:
            return raw.postprocess(
                use_camera_wb=True,
                no_auto_bright=True,
                adjust_maximum_thr=0.0,
                output_color=package.ColorSpace.sRGB,
                gamma=SRGB_CURVE,
                output_bps=16,
            )
    except package.LibRawError as error:
        raise OSError(f"LibRaw: {_said(error)}") from error


def _said(error: Exception) -> str:
    text = error.args[0] if error.args else error
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)


def _thumbnail(package: Any, raw: Any) -> bytes:
    """The JPEG inside the file; empty if there is none. LibRaw adds the camera's data to one without EXIF."""
    try:
        thumbnail = raw.extract_thumb()
    except package.LibRawError:
        return b""
    return bytes(thumbnail.data) if thumbnail.format == package.ThumbFormat.JPEG else b""


def _metadata(path: Path, thumbnail: bytes) -> tuple[bytes, bytes]:
    """EXIF for Pillow, and XMP. The file's own where it is built like a TIFF, else its JPEG's."""
    with open_regular(path) as file:
        head = file.read(HEAD)
    start = _TIFF_STARTS.get(head[:4])
    try:
        if start:
            own = Image.Exif()
            own.load_from_fp(io.BytesIO(start + head[4:]))
            xmp = own.get(_XMP, b"")
            return _kept(own), xmp if isinstance(xmp, bytes) else b""
        if thumbnail:
            with Image.open(io.BytesIO(thumbnail), formats=("JPEG",)) as image:
                return _kept(image.getexif()), b""
    except Exception:  # Pillow's parser raises nearly anything on hostile EXIF
        pass
    return b"", b""


def _kept(exif: Image.Exif) -> bytes:
    """What later stages use; without the orientation, which LibRaw applies."""
    copied = Image.Exif()
    for tag in _KEPT:
        if tag in exif:
            copied[tag] = exif[tag]
    for directory, wanted in ((ExifTags.IFD.Exif, _KEPT_DETAIL), (ExifTags.IFD.GPSInfo, None)):
        tags = exif.get_ifd(directory)
        own = copied.get_ifd(directory)
        own.update({tag: value for tag, value in tags.items() if wanted is None or tag in wanted})
    return copied.tobytes()
