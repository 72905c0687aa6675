"""How much memory a stage takes: the highest resident size seen while it ran, in this process and its children."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from types import TracebackType


def resident_bytes() -> int:
    """Resident memory of this process and its direct children now.

    Where the system does not say (macOS, Windows), the highest so far of this process, or 0.
    """
    if sys.platform == "linux":
        page = os.sysconf("SC_PAGE_SIZE")
        return sum(_resident_pages(pid) for pid in ("self", *_children())) * page
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def _resident_pages(pid: str) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def _children() -> list[str]:
    try:
        return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    except OSError:
        return []


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


def memory_gb() -> tuple[float | None, float | None]:
    """(installed, free) memory in GB (2^30 bytes); None for what the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        values = {line.split(":")[0]: int(line.split()[1]) / 2**20 for line in lines if line.split()[1:]}
        return values.get("MemTotal"), values.get("MemAvailable")
    except (OSError, ValueError, IndexError):
        pass
    if sys.platform == "win32":
        return _windows_memory()
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, None
    except (AttributeError, ValueError, OSError):
        return None, None


def _windows_memory() -> tuple[float | None, float | None]:
    import ctypes

    # MEMORYSTATUSEX: two 32-bit fields (length, load), then seven 64-bit ones (total, free, ...).
    status = (ctypes.c_uint32 * 16)(64)
    if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):  # type: ignore[attr-defined]
        return None, None
    words = memoryview(bytes(status)).cast("Q")
    return words[1] / 2**30, words[2] / 2**30
