"""Drop files onto a window as a file manager does, by the protocol XDND (freedesktop.org/wiki/Specifications/XDND).

    python drop_files.py X Y FILE...      pixels of the screen from the top left; DISPLAY says which

Ends with 0 once the window has taken them, with 1 if it has not within 20 seconds. Standard library and libX11 only.
"""

from __future__ import annotations

import ctypes
import sys
import time
from ctypes import (
    POINTER,
    Structure,
    Union,
    byref,
    c_char_p,
    c_int,
    c_long,
    c_ubyte,
    c_uint,
    c_ulong,
    c_void_p,
)
from pathlib import Path

VERSION = 3
CLIENT_MESSAGE, SELECTION_NOTIFY, SELECTION_REQUEST = 33, 31, 30  # X.h
PATIENCE = 20.0  # seconds


class _Data(Union):
    _fields_ = (("longs", c_long * 5), ("bytes", c_ubyte * 20))


class _ClientMessage(Structure):
    _fields_ = (
        ("type", c_int), ("serial", c_ulong), ("send_event", c_int), ("display", c_void_p), ("window", c_ulong),
        ("message", c_ulong), ("format", c_int), ("data", _Data),
    )  # fmt: skip


class _SelectionRequest(Structure):
    _fields_ = (
        ("type", c_int), ("serial", c_ulong), ("send_event", c_int), ("display", c_void_p), ("owner", c_ulong),
        ("requestor", c_ulong), ("selection", c_ulong), ("target", c_ulong), ("property", c_ulong), ("time", c_ulong),
    )  # fmt: skip


class _SelectionNotify(Structure):
    _fields_ = (
        ("type", c_int), ("serial", c_ulong), ("send_event", c_int), ("display", c_void_p), ("requestor", c_ulong),
        ("selection", c_ulong), ("target", c_ulong), ("property", c_ulong), ("time", c_ulong),
    )  # fmt: skip


class _Event(Union):
    _fields_ = (
        ("type", c_int), ("client", _ClientMessage), ("request", _SelectionRequest), ("notify", _SelectionNotify),
        ("padding", c_long * 24),
    )  # fmt: skip


class Dragging:
    """Files held by the mouse over the window that accepts them."""

    def __init__(self, files: list[str]) -> None:
        self.x11 = _library()
        self.display = self.x11.XOpenDisplay(None)
        assert self.display, "there is no display"
        self.root = self.x11.XDefaultRootWindow(self.display)
        self.window = self.x11.XCreateSimpleWindow(self.display, self.root, 0, 0, 1, 1, 0, 0, 0)
        self.x11.XSetSelectionOwner(self.display, self.atom("XdndSelection"), self.window, 0)
        self.text = "".join(f"{Path(file).absolute().as_uri()}\r\n" for file in files).encode()
        self.target = self._aware(self.root)
        assert self.target, "no window accepts files"

    def atom(self, name: str) -> int:
        return int(self.x11.XInternAtom(self.display, name.encode(), 0))

    def drop(self, x: int, y: int) -> bool:
        """Enter the window, move to the pixel, let go; whether the files were taken."""
        kind = self.atom("text/uri-list")
        self._send("XdndEnter", VERSION << 24, kind, 0, 0)
        for step in (8, 4, 0):  # windows look at the mouse's last positions
            self._send("XdndPosition", 0, (x - step) << 16 | y, 0, self.atom("XdndActionCopy"))
            self._answer("XdndStatus")
        self._send("XdndDrop", 0, 0, 0, 0)
        return self._answer("XdndFinished")

    def _send(self, message: str, *values: int) -> None:
        event = _Event()
        event.client.type, event.client.display, event.client.window = (
            CLIENT_MESSAGE,
            self.display,
            self.target,
        )
        event.client.message, event.client.format = self.atom(message), 32
        event.client.data.longs[:] = [self.window, *values]
        self.x11.XSendEvent(self.display, self.target, 0, 0, byref(event))
        self.x11.XFlush(self.display)

    def _answer(self, wanted: str) -> bool:
        """Serve the window until it sends that message; False if it never does."""
        end, event = time.monotonic() + PATIENCE, _Event()
        while time.monotonic() < end:
            if not self.x11.XPending(self.display):
                time.sleep(0.02)
                continue
            self.x11.XNextEvent(self.display, byref(event))
            if event.type == SELECTION_REQUEST:
                self._hand_over(event.request)
            elif event.type == CLIENT_MESSAGE and event.client.message == self.atom(wanted):
                return True
        return False

    def _hand_over(self, request: _SelectionRequest) -> None:
        """The files' addresses, into the property that the window has named."""
        self.x11.XChangeProperty(
            self.display, request.requestor, request.property, request.target, 8, 0, self.text, len(self.text)
        )
        event = _Event()
        event.notify.type, event.notify.display = SELECTION_NOTIFY, self.display
        for name in ("requestor", "selection", "target", "property", "time"):
            setattr(event.notify, name, getattr(request, name))
        self.x11.XSendEvent(self.display, request.requestor, 0, 0, byref(event))
        self.x11.XFlush(self.display)

    def _aware(self, window: int) -> int:
        """The first window at or below this one that says that it accepts drops; 0 if there is none."""
        count, listed = c_int(), self.x11.XListProperties
        atoms = listed(self.display, window, byref(count))
        if self.atom("XdndAware") in [atoms[n] for n in range(count.value)]:
            return window
        root, parent, children, number = c_ulong(), c_ulong(), POINTER(c_ulong)(), c_uint()
        self.x11.XQueryTree(self.display, window, byref(root), byref(parent), byref(children), byref(number))
        return next((found for n in range(number.value) if (found := self._aware(children[n]))), 0)


def _library() -> ctypes.CDLL:
    """libX11 with the types of the calls above: pointers have more bits than an int."""
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = c_void_p
    x11.XDefaultRootWindow.restype = x11.XCreateSimpleWindow.restype = x11.XInternAtom.restype = c_ulong
    x11.XListProperties.restype = POINTER(c_ulong)
    display, window = c_void_p, c_ulong
    x11.XDefaultRootWindow.argtypes = x11.XFlush.argtypes = x11.XPending.argtypes = [display]
    x11.XInternAtom.argtypes = [display, c_char_p, c_int]
    x11.XCreateSimpleWindow.argtypes = [
        display,
        window,
        c_int,
        c_int,
        c_uint,
        c_uint,
        c_uint,
        c_ulong,
        c_ulong,
    ]
    x11.XSetSelectionOwner.argtypes = [display, c_ulong, window, c_ulong]
    x11.XSendEvent.argtypes = [display, window, c_int, c_long, c_void_p]
    x11.XNextEvent.argtypes = [display, c_void_p]
    x11.XListProperties.argtypes = [display, window, c_void_p]
    x11.XQueryTree.argtypes = [display, window, *[c_void_p] * 4]
    x11.XChangeProperty.argtypes = [display, window, c_ulong, c_ulong, c_int, c_int, c_char_p, c_int]
    return x11


if __name__ == "__main__":
    sys.exit(0 if Dragging(sys.argv[3:]).drop(int(sys.argv[1]), int(sys.argv[2])) else 1)
