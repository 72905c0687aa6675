"""Photos that Pillow does not read: camera RAW by LibRaw, OpenEXR by OpenEXR, Radiance HDR by OpenCV.

The packages for RAW and OpenEXR are optional (system/extra_packages.py).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np

from ..system.extra_packages import is_installed
from .extensions import RAW_EXTENSIONS
from .opened_photo import EXR, HDR, RAW, Opened
from .raw_files import open_raw

_EXR_START = b"v/1\x01"
_HDR_STARTS = (b"#?RADIANCE", b"#?RGBE")


def kind_of(path: Path, head: bytes) -> str:
    """RAW, EXR or HDR if it is one and can be read here; otherwise empty. head: the file's first bytes."""
    if path.suffix.lower() in RAW_EXTENSIONS:
        return RAW if is_installed("rawpy") else ""
    if head.startswith(_EXR_START):
        return EXR if is_installed("OpenEXR") else ""
    return HDR if head.startswith(_HDR_STARTS) else ""


def open_other(path: Path, file: BinaryIO, kind: str) -> Opened:
    """Open a file of this kind. OSError if it is damaged."""
    if kind == RAW:
        return open_raw(path)
    if kind == EXR:
        return _open_exr(path)
    return _open_hdr(file)


def _open_exr(path: Path) -> Opened:
    import OpenEXR

    try:
        header = OpenEXR.File(str(path), header_only=True).header()
    except Exception as error:  # the library raises RuntimeError, ValueError and its own
        raise OSError("cannot identify image file") from error
    low, high = header["dataWindow"]
    width, height = (int(value) + 1 for value in np.subtract(high, low))
    return Opened(EXR, (width, height), lambda: _exr_values(OpenEXR, path))


def _exr_values(package: Any, path: Path) -> np.ndarray:
    try:
        channels = package.File(str(path), separate_channels=True).channels()
    except Exception as error:
        raise OSError("the file is truncated") from error
    planes = {name.rpartition(".")[2].upper(): channel.pixels for name, channel in channels.items()}
    gray = planes.get("Y")
    try:
        return np.stack([np.asarray(planes.get(name, gray), np.float32) for name in "RGB"], axis=2)
    except (TypeError, ValueError) as error:  # without colors, or with some at another size
        raise OSError("cannot identify image file") from error


def _open_hdr(file: BinaryIO) -> Opened:
    file.seek(0)
    content = np.frombuffer(file.read(), np.uint8)
    for line in content[:4096].tobytes().split(b"\n"):
        words = line.split()
        if len(words) == 4 and words[0] in (b"-Y", b"+Y") and words[2] in (b"+X", b"-X"):
            size = int(words[3]), int(words[1])
            return Opened(HDR, size, partial(_hdr_values, content, size))
    raise OSError("cannot identify image file")


def _hdr_values(content: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    try:
        values = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        values = None
    if values is None or values.shape[1::-1] != size:
        raise OSError("the file is truncated")
    return np.ascontiguousarray(values[..., 2::-1].astype(np.float32))
