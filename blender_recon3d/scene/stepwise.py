"""Long work in steps, so that a window can be drawn between them and the work be cancelled. Never imports bpy.

A piece of work is a generator. It yields None where others may have a turn, PAUSE where it waits for another process,
or a call without Blender in it, which may run in a thread and whose answer comes back from the yield. What it returns
is its result. Closed before its end it has changed nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")
PAUSE: Final = "pause"
Step = Callable[[], Any] | str | None
Steps = Generator[Step, Any, T]

_WAIT = 0.05  # seconds between two looks at another process


def run(steps: Steps[T]) -> T:
    """All of it, here and now."""
    work = Stepping(steps, threads=False)
    while not work.advance(_WAIT):
        if work.paused:
            time.sleep(_WAIT)
    return work.result


class _Call(threading.Thread):
    """A call in a thread. Python can end none: that of a work that was cancelled goes on, and its answer is dropped."""

    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__(name="recon3d step", daemon=True)
        self._call = call
        self.answer: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.answer = self._call()
        except BaseException as error:
            self.error = error


class Stepping(Generic[T]):
    """A piece of work under way. result: once `advance` has said that it has ended; paused: it waits for a process."""

    result: T

    def __init__(self, steps: Steps[T], threads: bool = True) -> None:
        self._steps, self._threads = steps, threads
        self._call: _Call | None = None
        self.paused = False

    def advance(self, seconds: float) -> bool:
        """Go on for about so long; whether it has ended. Raises what the work raises."""
        deadline = time.monotonic() + seconds
        self.paused = False
        try:
            while True:
                step = self._next(deadline)
                if self._call is not None and self._call.is_alive():
                    return False
                if step == PAUSE:
                    self.paused = True
                    return False
                if time.monotonic() >= deadline:
                    return False
        except StopIteration as end:
            self.result = end.value
            return True

    def cancel(self) -> None:
        """Drop it: nothing has changed."""
        self._steps.close()

    def _next(self, deadline: float) -> Step:
        """The next step, once the call of the one before is done; that call's error is raised in the work."""
        answer: Any = None
        if self._call is not None:
            if self._threads:
                self._call.join(max(0.0, deadline - time.monotonic()))
                if self._call.is_alive():
                    return None
            call, self._call = self._call, None
            if call.error is not None:
                return self._begun(self._steps.throw(call.error))
            answer = call.answer
        return self._begun(self._steps.send(answer))

    def _begun(self, step: Step) -> Step:
        """Start the call that a step is."""
        if callable(step):
            self._call = _Call(step)
            if self._threads:
                self._call.start()
            else:
                self._call.run()
        return step
