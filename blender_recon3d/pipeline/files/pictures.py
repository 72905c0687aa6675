"""Read pictures in a workspace (photos, masks and texture), which are JPEG or PNG files, with OpenCV."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..errors import FileFormatError
from .regular import read_regular

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


def read_picture(path: Path, flags: int) -> np.ndarray:
    """uint8 [H, W, 3] (BGR) or [H, W], by OpenCV's flags, as stored in the file, without EXIF rotation.

    FileFormatError if it does not exist, is damaged, or is neither JPEG nor PNG.
    """
    try:
        content = read_regular(path)
    except OSError as error:
        raise FileFormatError(path, error.strerror or "it does not exist") from error
    if not content.startswith(_SIGNATURES):
        raise FileFormatError(path, "it is not a JPEG or PNG file")
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise FileFormatError(path, "the image in it is damaged")
    return pixels
