"""Calls pycolmap so that it can be watched and stopped. All other modules import pycolmap from here."""

from __future__ import annotations

import threading
import zlib as _zlib  # noqa: F401  pycolmap aborts the process when imported before zlib
from collections.abc import Callable
from typing import TypeVar

import pycolmap as pycolmap  # for all who call COLMAP: never import it past this module

from ..errors import UserError
from ..events import Progress

Result = TypeVar("Result")

POLL_SECONDS = 0.25


def run_cancellable(
    call: Callable[[pycolmap.CancellationToken], Result],
    progress: Progress,
    poll: Callable[[], None] = lambda: None,
) -> Result:
    """Run `call(token)` in a thread while this one polls for progress and cancellation.

    Raises Cancelled once the call has returned after a cancel, UserError when COLMAP rejects its input.
    """
    token = pycolmap.CancellationToken()
    outcome: list[Result] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            outcome.append(call(token))
        except BaseException as error:  # raised in the caller's thread below
            failure.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(POLL_SECONDS)
        if progress.is_cancelled():
            token.cancel()
        elif thread.is_alive():
            poll()
    progress.check()
    if failure:
        if isinstance(failure[0], (RuntimeError, ValueError)):
            raise UserError(f"COLMAP stopped at {progress.stage}: {_reason(failure[0])}") from failure[0]
        raise failure[0]
    return outcome[0]


def less_log() -> None:
    """From now on, COLMAP writes only warnings and errors."""
    pycolmap.logging.minloglevel = 1


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text[:300] + ("" if text.endswith(".") else ".") + " See log.txt for details."
