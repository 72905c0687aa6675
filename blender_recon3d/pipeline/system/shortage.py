"""Detects failures caused by too little memory, whatever the failing library calls them.

Standard library only.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path

LITTLE_MEMORY = 100 * 2**20  # bytes available in the machine
# Of a process's limit: libraries map hundreds of MB at once, so it fails well before reaching it.
MUCH_OF_LIMIT = 0.5
_WORDS = (
    "out of memory", "outofmemory", "cannot allocate memory", "can't allocate memory", "not enough memory", "bad_alloc",
    "insufficient memory", "unable to allocate", "failed to allocate", "can't start new thread",
    "failed to map segment",
)  # fmt: skip
_CRASHES = tuple(
    -int(getattr(signal, name)) for name in ("SIGSEGV", "SIGABRT", "SIGBUS") if hasattr(signal, name)
)
_KILLED = -9


def out_of_memory(error: BaseException) -> bool:
    """Whether an exception, or one of its causes, says that memory could not be allocated."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, MemoryError) or getattr(current, "errno", None) == errno.ENOMEM:
            return True
        text = str(current).lower()
        if not isinstance(current, OSError) and any(words in text for words in _WORDS):
            return True
        if isinstance(current, (SystemError, ImportError)) and MemoryWatch(os.getpid()).short:
            return True
        current = current.__cause__ or current.__context__
    return False


def out_of_memory_in(log: Path, begin: int) -> bool:
    """Whether the text written to a log from byte `begin` on ends with such words."""
    try:
        if not log.is_file():
            return False
        with open(log, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - 4000, begin if begin <= size else 0))
            text = file.read(4000).decode("utf-8", "replace").lower()
    except OSError:
        return False
    return any(words in text for words in _WORDS) or "memoryerror" in text


class MemoryWatch:
    """Samples a process's memory, to tell from the last sample why it has crashed."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._max_share = 0.0  # of the limit
        self._left = float("inf")  # bytes in the machine
        self.sample()

    def sample(self) -> None:
        """Take a sample; cheap. Sees nothing without /proc."""
        self._max_share = max(self._max_share, _share_of_limit(self._pid))
        self._left = _machine_left()

    @property
    def short(self) -> bool:
        """Whether little was left of the machine's memory or of the process's limit."""
        return self._max_share > MUCH_OF_LIMIT or self._left < LITTLE_MEMORY

    def explains(self, code: int) -> bool:
        """Whether lack of memory is the likely cause of this exit code (negative for a signal)."""
        return code == _KILLED or (code in _CRASHES and self.short)


def _share_of_limit(pid: int) -> float:
    """A process's address space as a share of its limit (ulimit -v); 0 without a limit."""
    if sys.platform != "linux":
        return 0.0
    try:
        lines = Path(f"/proc/{pid}/limits").read_text("utf-8").splitlines()
        limit = next(line for line in lines if line.startswith("Max address space")).split()[3]
        pages = int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[0])
        return pages * os.sysconf("SC_PAGE_SIZE") / int(limit)
    except (OSError, ValueError, IndexError, StopIteration, ZeroDivisionError):
        return 0.0  # no limit: "unlimited" is not a number


def _machine_left() -> float:
    try:
        text = Path("/proc/meminfo").read_text("utf-8")
        return int(text.partition("MemAvailable:")[2].split()[0]) * 1024
    except (OSError, ValueError, IndexError):
        return float("inf")
