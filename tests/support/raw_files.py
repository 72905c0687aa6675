"""Camera RAW files with known content: minimal DNGs (Adobe, "Digital Negative specification 1.4") of a Bayer sensor."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

BLACK, WHITE = 512, 16383
NEUTRAL = (0.5, 1.0, 0.7)  # what the camera sees of white
XYZ_FROM_SRGB = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)  # IEC 61966-2-1
_FORMATS = {1: "B", 2: "s", 3: "H", 4: "I", 5: "II", 10: "ii"}


def write_dng(path: Path, picture: np.ndarray, focal_mm: float = 35.0, exposure: float = 1.0) -> Path:
    """Mosaic an sRGB picture uint8 [H, W, 3] of even size. exposure: factor of the light."""
    display = picture / 255
    light = np.where(display <= 0.04045, display / 12.92, ((display + 0.055) / 1.055) ** 2.4) * exposure
    sensor = np.round(BLACK + light * NEUTRAL * (WHITE - BLACK)).clip(0, WHITE).astype("<u2")
    mosaic = sensor[..., 1].copy()
    mosaic[0::2, 0::2], mosaic[1::2, 1::2] = sensor[0::2, 0::2, 0], sensor[1::2, 1::2, 2]
    height, width = mosaic.shape
    # The camera's primaries are sRGB's, so this is the inverse of XYZ_FROM_SRGB.
    matrix = [
        part for value in np.linalg.inv(XYZ_FROM_SRGB).ravel() for part in (round(value * 10000), 10000)
    ]
    neutral = [part for value in NEUTRAL for part in (round(value * 1000), 1000)]
    exif = [(0x920A, 5, [round(focal_mm * 10), 10]), (0xA405, 3, [round(focal_mm)])]
    tags = [
        (254, 4, [0]), (256, 4, [width]), (257, 4, [height]), (258, 3, [16]), (259, 3, [1]), (262, 3, [32803]),
        (271, 2, b"Recon\0"), (272, 2, b"Tester\0"), (273, 4, [0]), (274, 3, [1]), (277, 3, [1]), (278, 4, [height]),
        (279, 4, [mosaic.nbytes]), (284, 3, [1]), (33421, 3, [2, 2]), (33422, 1, [0, 1, 1, 2]), (34665, 4, [0]),
        (50706, 1, [1, 4, 0, 0]), (50707, 1, [1, 1, 0, 0]), (50708, 2, b"Recon Tester\0"), (50714, 3, [BLACK]),
        (50717, 4, [WHITE]), (50721, 10, matrix), (50728, 5, neutral), (50778, 3, [21]),
    ]  # fmt: skip
    first = _directory(tags, 8, {273: 0, 34665: 0})
    second = 8 + len(first)
    inside = _directory(exif, second, {})
    pixels = second + len(inside)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"II*\0\x08\0\0\0" + _directory(tags, 8, {273: pixels, 34665: second}) + inside + mosaic.tobytes()
    )
    return path


def _directory(tags: list, start: int, offsets: dict[int, int]) -> bytes:
    """A TIFF directory at this offset, and the values that do not fit into it. offsets: replace these tags' values."""
    entries, more = b"", b""
    after = start + 2 + 12 * len(tags) + 4
    for tag, kind, values in tags:
        given = [offsets[tag]] if tag in offsets else values
        if kind == 2:
            content, count = bytes(given), len(given)
        else:
            code = _FORMATS[kind]
            count = len(given) // len(code)
            content = struct.pack("<" + code[0] * len(given), *given)
        if len(content) <= 4:
            place = content.ljust(4, b"\0")
        else:
            place = struct.pack("<I", after + len(more))
            more += content + b"\0" * (len(content) % 2)
        entries += struct.pack("<HHI", tag, kind, count) + place
    return struct.pack("<H", len(tags)) + entries + bytes(4) + more
