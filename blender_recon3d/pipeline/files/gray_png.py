"""Write a gray PNG file without an image library, for Blender. Standard library only.

Format: https://www.w3.org/TR/png-3.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from .atomic_files import atomic_file


def write_gray_png(path: Path, rows: list[bytes]) -> None:
    """rows: from the top, a byte for each pixel, all of one length."""
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header)
    content += _chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))) + _chunk(b"IEND", b"")
    with atomic_file(path) as part:
        part.write_bytes(content)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
