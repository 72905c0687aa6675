"""How much memory decoding photos may take: what one needs is estimated from its header, before a pixel is decoded.

Photos are decoded in several threads, and a compressed file of 1 MB may hold 500 megapixels. So each reserves what it
needs while it is in memory, and waits while the others hold too much. Standard library only.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

MAX_BYTES = 4 << 30  # of all photos in memory at once, and so of one
# At the peak of decoding and converting, measured (benchmarks.measure.photo_memory): the decoder's buffers, the pixels
# as they come (up to 4 bytes), and the result (4 bytes in Pillow, 3 as an array).
_BYTES_PER_PIXEL = {"PNG": 11, "TIFF": 11, "JPEG": 9, "MPO": 9, "WEBP": 17, "HEIF": 17}
_PROGRESSIVE = 6  # more: libjpeg keeps all coefficients of a progressive JPEG


class TooLargeError(ValueError):
    """A photo that needs more memory than all photos together may have; the text says so."""


def bytes_needed(kind: str, width: int, height: int, progressive: bool = False) -> int:
    """What decoding a photo of this format ("PNG", "JPEG", ...) takes at its peak, as upright 8-bit RGB."""
    each = _BYTES_PER_PIXEL.get(kind, 17) + (_PROGRESSIVE if progressive else 0)
    return width * height * each


class PixelBudget:
    """Bytes that threads share. A thread that holds some must not ask for more: both could wait for ever."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._used = 0
        self._changed = threading.Condition()

    @contextmanager
    def reserve(self, count: int) -> Iterator[None]:
        """Wait until `count` bytes are free and hold them. ValueError, without waiting, for more than there are."""
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
