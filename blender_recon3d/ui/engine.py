"""Setting up and checking the engine, in the preferences and, while there is no engine, in the tab."""

from __future__ import annotations

import bpy

from .. import preferences
from ..jobs import setup_session
from ..panel_text import tr, wrapped
from .tab import Tab

_ICONS = {"ok": "CHECKMARK", "warning": "ERROR", "missing": "CANCEL"}
_STATES = {
    "missing": "The engine is not set up yet.",
    "broken": "Setup is incomplete: try again.",
    "outdated": "The engine belongs to another version of the add-on: update it.",
    "ready": "The engine is set up.",
}
_BUTTONS = {
    "missing": "Set Up Engine",
    "broken": "Try Again",
    "outdated": "Update Engine",
    "ready": "Repair Engine",
}


def draw_missing(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """For the tab: the setup button, or what prevents it."""
    box = layout.box()
    if preferences.preferences() is None:
        wrapped(box, context, preferences.engine_problem(), icon="ERROR")
        return
    if preferences.engine_python():
        wrapped(box, context, preferences.engine_problem(), icon="ERROR")
    draw_set_up(box, context)
    if not setup_session.session.view.running:
        box.operator("preferences.addon_show", text="Use Existing Python...").module = preferences.__package__


def draw_set_up(layout: bpy.types.UILayout, context: bpy.types.Context, width: int = 0) -> None:
    """The environment's state with its button, or the progress of a running setup."""
    view = setup_session.session.view
    if view.running:
        layout.progress(factor=view.fraction, text=tr(view.stage.title()) if view.stage else "")
        wrapped(layout, context, view.message, width=width)
        layout.operator("recon3d.cancel_set_up", text="Cancel", icon="X")
        return
    state = setup_session.state()
    wrapped(
        layout, context, tr(_STATES[state]), icon="CHECKMARK" if state == "ready" else "INFO", width=width
    )
    if view.error:
        wrapped(layout, context, view.error, icon="ERROR", width=width)
        layout.operator("recon3d.open_log", icon="TEXT").which = "SETUP"
    if state != "ready" and not bpy.app.online_access and not setup_session.is_local():
        wrapped(layout, context, tr("Blender is offline, and the engine has to be downloaded."), width=width)
        layout.operator("recon3d.allow_online_access", icon="INTERNET")
    row = layout.row()
    row.scale_y = 1.0 if state == "ready" else 1.5
    row.operator("recon3d.set_up_engine", text=_BUTTONS[state], icon="IMPORT")
    if state != "missing":
        layout.operator("recon3d.remove_engine", icon="TRASH")


def draw_findings(layout: bpy.types.UILayout, context: bpy.types.Context, width: int = 0) -> None:
    """The doctor's findings as a checklist with advice."""
    doctor = setup_session.session.doctor
    asking = doctor is not None and doctor.running
    layout.operator("recon3d.check_engine", text="Checking..." if asking else "Check Engine", icon="VIEWZOOM")
    if setup_session.session.doctor_error:
        wrapped(layout, context, setup_session.session.doctor_error, icon="ERROR", width=width)
    column = layout.column(align=True)
    for state, name, value, advice in setup_session.doctor_lines():
        wrapped(column, context, f"{name}: {value}", icon=_ICONS.get(state, "QUESTION"), width=width)
        if advice:
            wrapped(column, context, f"→ {advice}", icon="BLANK1", width=width)


class RECON3D_PT_engine(Tab, bpy.types.Panel):
    bl_idname = "RECON3D_PT_engine"
    bl_label = "Engine"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return not preferences.engine_problem()

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        if preferences.preferences() is not None:
            layout.operator("preferences.addon_show", text="Preferences").module = preferences.__package__
        draw_findings(layout, context)


CLASSES = (RECON3D_PT_engine,)
