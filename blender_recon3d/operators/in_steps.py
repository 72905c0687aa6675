"""Operators that may take long: in a window they run in steps with a wait cursor, and Esc undoes everything."""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import Any

import bpy

from ..panel_text import tr
from ..scene.stepwise import Stepping, Steps, run
from .reporting import reported, run_reported
from .view_tool import NAVIGATION

INTERVAL = 0.1  # seconds between turns
TURN = 0.15  # seconds per turn
AT_ONCE = 0.3  # seconds; work finished by then needs no status text
_KEYS = "Esc: cancel"


class RunsInSteps:
    """Mixin for the operators, which define `doing` and `steps`. No redo, which would block.

    doing: the status bar text. asks: whether to show a dialog with the properties first.
    """

    bl_options = {"UNDO"}
    doing = ""
    asks = False

    @abstractmethod
    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str | None]:
        """The work; its result is a message. in_window: whether a user is waiting, who may cancel. Raises UserError."""

    def invoke(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self._asked = True
        if self.asks:
            return context.window_manager.invoke_props_dialog(self)
        return self.execute(context)

    def execute(self: Any, context: bpy.types.Context) -> set[str]:
        """In steps if the user pressed the button; blocks when called by a script."""
        if not getattr(self, "_asked", False) or context.window is None or bpy.app.background:
            return run_reported(self, lambda: run(self.steps(context, False)))
        self._work = Stepping(self._begun(context))
        self._began, self._window = time.monotonic(), context.window
        self._window.cursor_modal_set("WAIT")
        answer = self._advance(AT_ONCE)
        if answer is not None:
            self._window.cursor_modal_restore()
            return answer
        manager = context.window_manager
        self._timer = manager.event_timer_add(INTERVAL, window=self._window)
        self._say(context)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        escaped = event.type == "ESC" and event.value == "PRESS"
        if escaped or event.type == "TIMER":
            answer = self._advance(0.0 if escaped else TURN)  # finished work can no longer be cancelled
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
        """Called when Blender is closed or another file is opened."""
        self._end(context)
        self._work.cancel()

    def _begun(self: Any, context: bpy.types.Context) -> Steps[str | None]:
        """The work; nothing is done before the first turn."""
        return (yield from self.steps(context, True))

    def _advance(self: Any, seconds: float) -> set[str] | None:
        """The operator's return value once the work has ended or failed; None before."""
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
