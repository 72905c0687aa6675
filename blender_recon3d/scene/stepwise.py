"""Long work in steps, so that the window can be redrawn between them and the work can be cancelled. Never imports bpy.

The work is a generator. It yields None to let others run, PAUSE while it waits for another process, or a call that does
not use Blender, which may run in a thread and whose result the yield returns. Its return value is the result. If closed
before its end, it has changed nothing.
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

_WAIT = 0.05  # seconds between polls of another process


def run(steps: Steps[T]) -> T:
    """Run all steps, blocking."""
    work = Stepping(steps, threads=False)
    while not work.advance(_WAIT):
        if work.paused:
            time.sleep(_WAIT)
    return work.result


class _Call(threading.Thread):
    """A call in a thread. Python cannot kill threads: a cancelled call keeps running, and its result is dropped."""

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
    """Work in progress. result: once `advance` has returned True. paused: whether it is waiting for a process."""

    result: T

    def __init__(self, steps: Steps[T], threads: bool = True) -> None:
        self._steps, self._threads = steps, threads
        self._call: _Call | None = None
        self.paused = False

    def advance(self, seconds: float) -> bool:
        """Continue for about that many seconds; returns whether it has ended. Raises what the work raises."""
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
        """Cancel it; nothing has changed."""
        self._steps.close()

    def _next(self, deadline: float) -> Step:
        """The next step, once the previous step's call is done; that call's error is raised in the work."""
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
        """Start a step that is a call."""
        if callable(step):
            self._call = _Call(step)
            if self._threads:
                self._call.start()
            else:
                self._call.run()
        return step
