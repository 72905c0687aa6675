"""Operators that may take long: in a window they go on step by step, the mouse waits, Esc takes everything back."""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import Any

import bpy

from ..panel_text import tr
from ..scene.stepwise import Stepping, Steps, run
from .reporting import reported, run_reported
from .view_tool import NAVIGATION

INTERVAL = 0.1  # seconds between two turns
TURN = 0.15  # seconds of a turn
AT_ONCE = 0.3  # seconds: what is done by then needs no waiting mouse
_KEYS = "Esc: cancel"


class RunsInSteps:
    """What the operators share. They give `doing` and `steps`; not registered for redo, which would block.

    doing: what the status bar says. asks: whether a dialog asks for the properties first.
    """

    bl_options = {"UNDO"}
    doing = ""
    asks = False

    @abstractmethod
    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str | None]:
        """The work, whose result is a sentence. in_window: a person waits, who may cancel. Raises UserError."""

    def invoke(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self._asked = True
        if self.asks:
            return context.window_manager.invoke_props_dialog(self)
        return self.execute(context)

    def execute(self: Any, context: bpy.types.Context) -> set[str]:
        """Step by step for a person who has pressed the button; a script waits."""
        if not getattr(self, "_asked", False) or context.window is None or bpy.app.background:
            return run_reported(self, lambda: run(self.steps(context, False)))
        self._work = Stepping(self._begun(context))
        self._began, self._window = time.monotonic(), context.window
        answer = self._go_on(AT_ONCE)
        if answer is not None:
            return answer
        manager = context.window_manager
        self._timer = manager.event_timer_add(INTERVAL, window=self._window)
        self._window.cursor_modal_set("WAIT")
        self._say(context)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        escaped = event.type == "ESC" and event.value == "PRESS"
        if escaped or event.type == "TIMER":
            answer = self._go_on(
                0.0 if escaped else TURN
            )  # what is done already cannot be cancelled any more
            if answer is not None:
                self._end(context)
                return answer
            self._say(context)
        if escaped:
            self._end(context)
            self._work.cancel()
            self.report({"INFO"}, tr("Cancelled"))
            return {"CANCELLED"}
        return {"PASS_THROUGH"} if event.type in NAVIGATION else {"RUNNING_MODAL"}

    def cancel(self: Any, context: bpy.types.Context) -> None:
        """Blender is closed, or another file is opened."""
        self._end(context)
        self._work.cancel()

    def _begun(self: Any, context: bpy.types.Context) -> Steps[str | None]:
        """The work, of which nothing is done before the first turn."""
        return (yield from self.steps(context, True))

    def _go_on(self: Any, seconds: float) -> set[str] | None:
        """The operator's answer once the work has ended, well or not."""
        ended: list[bool] = []

        def turn() -> str | None:
            ended.append(self._work.advance(seconds))
            return self._work.result if ended[0] else None

        answer = reported(self, turn)
        return None if ended == [False] else answer

    def _say(self: Any, context: bpy.types.Context) -> None:
        seconds = int(time.monotonic() - self._began)
        self._window.workspace.status_text_set(f"{tr(self.doing)} ({seconds} s)   {tr(_KEYS)}")

    def _end(self: Any, context: bpy.types.Context) -> None:
        context.window_manager.event_timer_remove(self._timer)
        self._window.cursor_modal_restore()
        self._window.workspace.status_text_set(None)
