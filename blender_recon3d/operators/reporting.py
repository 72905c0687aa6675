"""Turns the errors of a call into an operator's report."""

from __future__ import annotations

from collections.abc import Callable

import bpy

from ..pipeline.events import UserError


def run_reported(operator: bpy.types.Operator, call: Callable[[], str | None]) -> set[str]:
    """Run the call. Its sentence is reported, a UserError as an error: then nothing has been done."""
    try:
        sentence = call()
    except UserError as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    if sentence:
        operator.report({"INFO"}, sentence)
    return {"FINISHED"}
