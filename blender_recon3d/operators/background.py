"""Operators that run in a second Blender: the cursor shows a wait, Esc cancels, the view can still be navigated."""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import Any

import bpy

from ..panel_text import tr
from ..scene.meshes import background_work
from .reporting import run_reported
from .view_tool import NAVIGATION

INTERVAL = 0.1  # seconds between polls
_KEYS = "Esc: cancel"


class WaitsForBlender:
    """Mixin for the operators, which define `doing`, `begin` and `at_once`. No redo, which would block.

    doing: the status bar text.
    """

    bl_options = {"UNDO"}
    doing = ""

    @abstractmethod
    def begin(self, context: bpy.types.Context) -> background_work.BackgroundWork:
        """Start the work. Raises UserError."""

    @abstractmethod
    def at_once(self, context: bpy.types.Context) -> str:
        """Do the work in this Blender and return a message. Raises UserError."""

    def invoke(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self._asked = True
        return context.window_manager.invoke_props_dialog(self)

    def execute(self: Any, context: bpy.types.Context) -> set[str]:
        """In the background after the dialog was confirmed; when called by a script, it blocks."""
        if not getattr(self, "_asked", False) or context.window is None or not background_work.is_possible():
            return run_reported(self, lambda: self.at_once(context))
        begun: list[background_work.BackgroundWork] = []
        if run_reported(self, lambda: begun.append(self.begin(context))) != {"FINISHED"}:
            return {"CANCELLED"}
        self._work, self._began = begun[0], time.monotonic()
        self._window, manager = context.window, context.window_manager
        self._timer = manager.event_timer_add(INTERVAL, window=self._window)
        self._window.cursor_modal_set("WAIT")
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type == "ESC" and event.value == "PRESS":
            self._end(context)
            self._work.cancel()
            self.report({"INFO"}, tr("Cancelled"))
            return {"CANCELLED"}
        if event.type == "TIMER":
            if self._work.done():
                self._end(context)
                return run_reported(self, self._work.finish)
            seconds = int(time.monotonic() - self._began)
            context.workspace.status_text_set(f"{tr(self.doing)} ({seconds} s)   {tr(_KEYS)}")
        return {"PASS_THROUGH"} if event.type in NAVIGATION else {"RUNNING_MODAL"}

    def cancel(self: Any, context: bpy.types.Context) -> None:
        """Called when Blender is closed or another file is opened."""
        self._end(context)
        self._work.cancel()

    def _end(self: Any, context: bpy.types.Context) -> None:
        context.window_manager.event_timer_remove(self._timer)
        self._window.cursor_modal_restore()
        self._window.workspace.status_text_set(None)
