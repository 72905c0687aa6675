"""A memory budget for decoding photos; a photo's need is estimated from its header, before it is decoded.

Photos are decoded in several threads, and a compressed file of 1 MB may contain 500 megapixels. So each reserves its
memory while it is loaded, and waits while the others use too much. Standard library only.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

MAX_BYTES = 4 << 30  # of all photos in memory at once, and so of one
# At the peak of decoding and converting, measured (benchmarks.measure.photo_memory): the decoder's buffers, the pixels
# as they come (up to 4 bytes), and the result (4 bytes in Pillow, 3 as an array).
_BYTES_PER_PIXEL = {"PNG": 11, "TIFF": 11, "JPEG": 9, "MPO": 9, "WEBP": 17, "HEIF": 17}
_PROGRESSIVE = 6  # additional: libjpeg keeps all coefficients of a progressive JPEG


class TooLargeError(ValueError):
    """A photo that needs more memory than the limit for all photos together."""


def bytes_needed(kind: str, width: int, height: int, progressive: bool = False) -> int:
    """Peak memory for decoding a photo of this format ("PNG", "JPEG", ...) to upright 8-bit RGB."""
    each = _BYTES_PER_PIXEL.get(kind, 17) + (_PROGRESSIVE if progressive else 0)
    return width * height * each


class PixelBudget:
    """Bytes shared by threads. A thread that holds some must not request more, which could deadlock."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._used = 0
        self._changed = threading.Condition()

    @contextmanager
    def reserve(self, count: int) -> Iterator[None]:
        """Wait until `count` bytes are free and hold them. ValueError, without waiting, if it exceeds the total."""
        if count > self.max_bytes:
            raise TooLargeError(
                f"decoding takes {count / 2**30:.1f} GB of memory and the limit is {self.max_bytes / 2**30:.1f} GB"
            )
        with self._changed:
            self._changed.wait_for(lambda: self._used + count <= self.max_bytes)
            self._used += count
        try:
            yield
        finally:
            with self._changed:
                self._used -= count
                self._changed.notify_all()


def default_budget(total: int) -> PixelBudget:
    """The budget on a machine with `total` bytes of memory: at most half of it."""
    return PixelBudget(min(MAX_BYTES, max(1 << 28, total // 2)))
