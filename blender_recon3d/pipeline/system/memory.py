"""Memory use of a stage: the highest resident size while it ran, of this process and its children."""

from __future__ import annotations

import contextlib
import ctypes
import sys
import threading
from types import TracebackType

import psutil


def resident_bytes() -> int:
    """Current resident memory of this process and its direct children."""
    this = psutil.Process()
    total = this.memory_info().rss
    for child in this.children():
        with contextlib.suppress(psutil.Error):  # it has just ended
            total += child.memory_info().rss
    return total


def return_freed_memory() -> None:
    """Return what has been freed to the system. glibc keeps it otherwise, about half a stage's peak."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # musl has no malloc_trim
            ctypes.CDLL(None).malloc_trim(0)


class PeakMemory:
    """Context manager that samples ten times a second; `.bytes` is the peak."""

    def __init__(self) -> None:
        self.bytes = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def _sample(self) -> None:
        while True:
            self.bytes = max(self.bytes, resident_bytes())
            if self._stop.wait(0.1):
                return

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self.bytes = max(self.bytes, resident_bytes())


def memory_gb() -> tuple[float, float]:
    """(installed, free) memory in GB (2^30 bytes)."""
    memory = psutil.virtual_memory()
    return memory.total / 2**30, memory.available / 2**30
