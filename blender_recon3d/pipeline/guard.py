"""A job in a process of its own, so that a crash in native code is a sentence too.

COLMAP ends its process when it cannot write its database, and a system short of memory ends whom it likes. The
process a person started outlives that, says what happened, and is the one that signals go to. Standard library
only.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

WORKER = "RECON3D_WORKER"  # set for the process that does the work
LITTLE_DISK = 50 * 2**20  # bytes; COLMAP's database grows by less at a time


def is_worker() -> bool:
    return os.environ.get(WORKER) == "1"


def package_environment(package: str, **extra: str) -> dict[str, str]:
    """The environment in which `python -m PACKAGE...` finds this package, whatever it is called here."""
    here = Path(__file__).parent
    path = os.environ.get("PYTHONPATH", "")
    # Not where the add-on has given the package a name of its own, which is on the path already.
    if here.parts[-1 - package.count(".") :] == tuple(package.split(".")):
        path = os.pathsep.join(part for part in (str(here.parents[package.count(".")]), path) if part)
    return {**os.environ, "PYTHONPATH": path, **extra}


def run_worker(arguments: list[str]) -> int:
    """Run the command line again as the worker and pass signals on; its exit code, negative for a signal."""
    package = __package__ or ""
    worker = subprocess.Popen(
        [sys.executable, "-m", package, *arguments],
        # numpy's products are small; with several threads they would round by the number of cores.
        env=package_environment(package, **{WORKER: "1", "OPENBLAS_NUM_THREADS": "1"}),
        stdin=subprocess.PIPE,
    )

    def pass_on(number: int, frame: object) -> None:
        if os.name != "nt":  # on Windows, console events reach the worker by themselves
            worker.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, pass_on)
    return worker.wait()


def end_with_parent() -> None:
    """End this process, hard, as soon as the one that started it is gone, however that ended.

    The parent holds the other end of the standard input and never writes to it.
    """

    def watch() -> None:
        if sys.platform == "win32":
            # A pending read of standard input blocks the loading of libraries there; a process can be waited for.
            import ctypes

            synchronise, forever = 0x00100000, 0xFFFFFFFF
            parent = ctypes.windll.kernel32.OpenProcess(synchronise, False, os.getppid())
            ctypes.windll.kernel32.WaitForSingleObject(parent, forever)
        else:
            while os.read(0, 1):
                pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def crash_sentence(code: int, folder: Path, log: Path) -> tuple[str, str]:
    """What a person is told when the worker ended with `code` without a word of its own, and the remedy."""
    free = shutil.disk_usage(folder).free
    if free < LITTLE_DISK:
        cause = f"the disk is full ({free / 2**20:.0f} MB free in {folder}): make room"
        remedy = "again"
    elif code == -9:
        cause = "the system ended it, most likely for want of memory: use --quality preview or fewer photos"
        remedy = "preview"
    else:
        how = f"signal {-code}" if code < 0 else f"code {code}"
        cause = f"it crashed ({how}): {log} holds what to report"
        remedy = "log"
    return f"The engine stopped, {cause}, and run the same command again, finished work is kept.", remedy
