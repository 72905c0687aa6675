"""A job in a process of its own, so that a crash in native code is a sentence too.

COLMAP ends its process when it cannot write its database, libjpeg when it cannot write a photo, and a system short of
memory ends whom it likes. The process a person started outlives that, says what happened, and is the one that signals
go to. The worker ends with exit codes that no library uses, so that its word can be told from theirs. Standard library
only.
"""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..files.full_disk import free_bytes
from ..wording import RESUME, Sentence, use
from . import startup
from .child import PACKAGE, child_environment, module_command
from .shortage import MemoryWatch, out_of_memory_in

_BASE = 40  # a worker that ends with exit code N leaves with _BASE + N, having said why
_CODES = (0, 1, 2, 3)
LITTLE_DISK = 50 * 2**20  # bytes; COLMAP's database grows by less at a time
NO_MEMORY = 5  # a worker's, when it lacked memory before it could say so


@dataclass(frozen=True)
class WorkerEnd:
    """How the worker ended. code: negative for a signal; stopped: whether it was asked to, and had said nothing."""

    code: int
    stopped: bool = False
    out_of_memory: bool = False

    @property
    def exit_code(self) -> int | None:
        """The command's exit code, of which the user has been told; None when the worker has said nothing."""
        told = self.code - _BASE
        return told if told in _CODES else None


def is_worker() -> bool:
    return os.environ.get(startup.WORKER) == "1"


def worker_code(code: int) -> int:
    """With which exit code a worker leaves that has told the user how it ended."""
    return _BASE + code


def run_worker(arguments: list[str], log: Path) -> WorkerEnd:
    """Run the command line again as the worker and pass signals on. log: where its libraries write."""
    asked: list[int] = []
    worker: subprocess.Popen[bytes] | None = None

    def pass_on(number: int, frame: object) -> None:
        asked.append(number)
        # On Windows, console events reach the worker by themselves.
        if worker is not None and os.name != "nt":
            worker.send_signal(number)

    for number in startup.STOP_SIGNALS:
        signal.signal(number, pass_on)
    begin = _size(log)
    startup.block_signals()  # until the worker is ready for them; a signal that comes now is passed on
    try:
        worker = subprocess.Popen(
            module_command(PACKAGE, *arguments),
            # numpy's products are small; with several threads they would round by the number of cores.
            env=child_environment(**{startup.WORKER: "1", "OPENBLAS_NUM_THREADS": "1"}),
            stdin=subprocess.PIPE,
        )
    finally:
        startup.unblock_signals()
    memory = MemoryWatch(worker.pid)
    while True:
        try:
            code = worker.wait(0.5)
            break
        except subprocess.TimeoutExpired:
            memory.sample()
    stopped = code == startup.UNTOLD or (bool(asked) and code < 0 and -code in startup.STOP_SIGNALS)
    lacking = code == worker_code(NO_MEMORY) or (code < 0 and memory.explains(code))
    lacking = lacking or (code != 0 and out_of_memory_in(log, begin))
    return WorkerEnd(code, stopped, lacking)


def crash_sentence(end: WorkerEnd, folder: Path, log: Path) -> tuple[Sentence, str]:
    """What a person is told when the worker ended without a word of its own, and the remedy."""
    free = free_bytes(folder)
    if free < LITTLE_DISK:
        cause: str = f"the disk is full ({free / 2**20:.0f} MB free in {folder}): free some space"
        remedy = "again"
    elif end.out_of_memory:
        cause = Sentence(
            "probably out of memory: ", use("quality", "preview"), " or fewer photos, or close other programs"
        )
        remedy = "preview"
    else:
        how = f"signal {-end.code}" if end.code < 0 else f"code {end.code}"
        cause = f"it crashed ({how}): report the problem with {log}"
        remedy = "log"
    return Sentence("The engine stopped, ", cause, "; then ", RESUME, ", finished work is kept."), remedy


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
