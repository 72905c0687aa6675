"""Report the result or the error of a call through an operator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

from ..languages.panel_wording import in_panel
from ..panel_text import in_language
from ..pipeline.errors import UserError
from ..pipeline.text import printable
from ..scene.find_imports import find_imports


class ImportOperator:
    """Mixin of the operators that work on an import: undone in one step, disabled if there is none."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls: Any, context: bpy.types.Context) -> bool:
        if not find_imports(context.scene):
            cls.poll_message_set("Import a result first")
            return False
        return True


def run_in_background(
    operator: bpy.types.Operator,
    start: Callable[[], object],
    follow: Callable[[], None],
    wait: Callable[[], str],
) -> set[str]:
    """Start a separate process; follow it if Blender has a window, otherwise wait for it."""

    def call() -> str | None:
        start()
        if bpy.app.background:
            return wait()
        follow()
        return None

    return run_reported(operator, call)


def run_reported(operator: bpy.types.Operator, call: Callable[[], str | None]) -> set[str]:
    """Run the call with a wait cursor, and report its message, or its UserError as an error."""
    window = None if bpy.app.background else bpy.context.window
    try:
        if window is not None:
            window.cursor_set("WAIT")
        return reported(operator, call)
    finally:
        if window is not None:
            window.cursor_set("DEFAULT")


def reported(operator: bpy.types.Operator, call: Callable[[], str | None]) -> set[str]:
    """Run the call, and report its message, or its UserError as an error."""
    try:
        sentence = call()
    except UserError as error:
        # In background mode, scripts get the wording with command-line options.
        text = str(error) if bpy.app.background else in_panel(error.sentence)
        operator.report({"ERROR"}, printable(text))
        return {"CANCELLED"}
    if sentence:
        operator.report({"INFO"}, printable(sentence if bpy.app.background else in_language(sentence)))
    return {"FINISHED"}
