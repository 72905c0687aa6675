"""When a library ends the process, let it end. Standard library only.

libjpeg calls exit() where it cannot write, in the middle of a thread's work. The destructors that exit() runs then take
away what the other threads are using: the process crashes on its way out, or waits for itself for ever.
"""

from __future__ import annotations

import ctypes
import sys


def end_at_once() -> None:
    """From now on exit() ends the process with its code and runs nothing that was registered before this call.

    To be called when the libraries have been loaded. Python's own end (flushing, atexit) comes before exit() and stays
    as it is. Linux only: elsewhere the way to say so is another, and nothing changes.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    try:
        libc.on_exit(ctypes.cast(libc._exit, ctypes.c_void_p), None)
    except AttributeError:  # a C library without on_exit (musl)
        return
