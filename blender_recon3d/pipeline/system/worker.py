"""Runs a job in a separate process, so that even a crash in native code is reported in a sentence.

COLMAP ends its process when it cannot write its database, libjpeg when it cannot write a photo, and the out-of-memory
killer may end any process. The process started by the user survives that, reports what happened, and receives signals.
The worker exits with codes that no library uses, to distinguish its reports from theirs. Standard library only.
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

_BASE = 40  # a worker that ends with exit code N exits with _BASE + N, having reported why
_CODES = (0, 1, 2, 3)
LITTLE_DISK = 50 * 2**20  # bytes; COLMAP's database grows in smaller steps
NO_MEMORY = 5  # code of a worker that ran out of memory before it could report that


@dataclass(frozen=True)
class WorkerEnd:
    """How the worker ended. code: negative for a signal; stopped: whether it was asked to stop and reported nothing."""

    code: int
    stopped: bool = False
    out_of_memory: bool = False

    @property
    def exit_code(self) -> int | None:
        """The command's exit code if the worker has reported the outcome; None if it has not."""
        reported = self.code - _BASE
        return reported if reported in _CODES else None


def is_worker() -> bool:
    return os.environ.get(startup.WORKER) == "1"


def worker_code(code: int) -> int:
    """The exit code of a worker that has told the user how it ended."""
    return _BASE + code


def run_worker(arguments: list[str], log: Path) -> WorkerEnd:
    """Run the command line again as the worker and forward signals. log: where its libraries write."""
    asked: list[int] = []
    worker: subprocess.Popen[bytes] | None = None

    def forward(number: int, frame: object) -> None:
        asked.append(number)
        # On Windows, console events reach the worker directly.
        if worker is not None and os.name != "nt":
            worker.send_signal(number)

    for number in startup.STOP_SIGNALS:
        signal.signal(number, forward)
    begin = _size(log)
    startup.block_signals()  # until the worker is ready for them; signals from now on are forwarded
    try:
        worker = subprocess.Popen(
            module_command(PACKAGE, *arguments),
            # numpy's products are small; with several threads their rounding would depend on the number of cores.
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
    """The message when the worker ended without a report of its own, and the remedy."""
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
