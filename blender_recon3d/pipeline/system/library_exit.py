"""Lets a library that calls exit() end the process cleanly. Standard library only.

libjpeg calls exit() when it cannot write, in the middle of a thread's work. The destructors that exit() runs then
remove what the other threads are using: the process crashes on its way out, or deadlocks.
"""

from __future__ import annotations

import ctypes
import sys


def end_at_once() -> None:
    """From now on exit() ends the process with its code, without running handlers registered before this call.

    To be called after the libraries have been loaded. Python's own shutdown (flushing, atexit) precedes exit() and is
    not affected. Linux only: elsewhere this needs another method, and nothing changes.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    try:
        libc.on_exit(ctypes.cast(libc._exit, ctypes.c_void_p), None)
    except AttributeError:  # a C library without on_exit (musl)
        return
