"""Draws the add-on's preferences."""

from __future__ import annotations

import bpy

from .. import preferences
from ..panel_text import tr, wrapped
from .engine import draw_findings, draw_set_up

_MARGIN = 60  # unscaled pixels beside the boxes


def draw(prefs: bpy.types.AddonPreferences, context: bpy.types.Context) -> None:
    """The whole page; installed as the preferences' draw method."""
    width = round(context.region.width / context.preferences.system.ui_scale) - _MARGIN
    layout = prefs.layout
    layout.use_property_split = True
    layout.prop(prefs, "device")
    box = layout.box()
    box.label(text="Engine")
    if preferences.engine_python() and not preferences.engine_problem():
        wrapped(box, context, tr("The custom environment below is in use."), icon="CHECKMARK", width=width)
    else:
        draw_set_up(box, context, width)
    column = box.column()
    for name in ("variant", "engine_folder", "index", "lock", "proxy"):
        column.prop(prefs, name)
    box = layout.box()
    box.label(text="Custom Environment")
    box.prop(prefs, "engine_python")
    problem = preferences.engine_problem()
    if problem:
        wrapped(layout, context, problem, icon="ERROR", width=width)
    else:
        draw_findings(layout.box(), context, width)


def register() -> None:
    preferences.Recon3DPreferences.draw = draw


def unregister() -> None:
    del preferences.Recon3DPreferences.draw
