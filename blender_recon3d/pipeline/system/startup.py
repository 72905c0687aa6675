"""The first things a process of the engine does. Standard library only, and little of it: it must be quick.

Afterwards a signal ends the process with the exit code for "cancelled", its standard streams are open and survive when
their reader goes away, and the current folder is not searched for modules.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys

from .streams import Surviving

CANCELLED = 3
WORKER = "RECON3D_WORKER"  # set for the process that does the work, see worker.py
UNTOLD = 44  # a worker's exit code: cancelled before it could report that
STOP_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
)


class _State:
    begun = False


def begin() -> None:
    """Once per process; later calls do nothing."""
    if _State.begun:
        return
    _State.begun = True
    _open_descriptors()
    sys.stdout, sys.stderr = Surviving(sys.stdout), Surviving(sys.stderr)
    _leave_current_folder()
    for number in STOP_SIGNALS:
        signal.signal(number, _stop_early)
    unblock_signals()


def signals_interrupt() -> None:
    """From now on a signal raises KeyboardInterrupt, so that incomplete files are removed."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.default_int_handler)


def block_signals() -> None:
    """Hold signals back; so does a process started now, until it unblocks them in `begin`."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)


def unblock_signals() -> None:
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def _stop_early(number: int, frame: object) -> None:
    if os.environ.get(WORKER) == "1":  # the parent process reports it
        os._exit(UNTOLD)
    with contextlib.suppress(OSError):
        os.write(2, b"recon3d: cancelled; run the same command again to continue.\n")
    os._exit(CANCELLED)


def _open_descriptors() -> None:
    """Open descriptors 0 to 2 if they are closed: otherwise the next opened file gets the text meant for a terminal."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest free number
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            else:
                os.set_inheritable(number, True)


def _leave_current_folder() -> None:
    """Remove the current folder from the path if `python -m` has put it there and the package is not in it."""
    if getattr(sys.flags, "safe_path", False) or not sys.path:
        return
    top = __name__.partition(".")[0]
    here = os.path.abspath(__file__)
    first = sys.path[0]
    if first in ("", os.getcwd()) and not here.startswith(os.path.join(os.getcwd(), top) + os.sep):
        del sys.path[0]
