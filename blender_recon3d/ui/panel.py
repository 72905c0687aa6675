"""The sidebar tab "Recon3D"."""

from __future__ import annotations

import time

import bpy

from .. import preferences, session
from ..pipeline.settings import STAGES
from ..properties import workspace_path
from ..supervisor import DONE, FAILED, JobView
from .text import duration, wrapped


class RECON3D_PT_main(bpy.types.Panel):
    bl_idname = "RECON3D_PT_main"
    bl_label = "Reconstruction"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Recon3D"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        _draw_missing_engine(layout, context)
        _draw_settings(layout, context)
        view = session.session.view
        if view is not None and session.session.running:
            _draw_progress(layout, context, view)
        else:
            _draw_start(layout, context, view)


def _draw_missing_engine(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    problem = preferences.engine_problem()
    if not problem:
        return
    box = layout.box()
    wrapped(box, context, problem, icon="ERROR")
    if preferences.preferences() is not None:
        box.operator("preferences.addon_show", text="Open Preferences").module = preferences.__package__


def _draw_settings(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    settings = context.scene.recon3d
    column = layout.column()
    column.enabled = not session.session.running
    column.label(text="Folder of photos")
    column.prop(settings, "photos", text="")
    column.label(text="Results")
    column.prop(
        settings, "workspace", text="", placeholder=str(workspace_path(settings) or "beside the photos")
    )
    column.separator()
    column.row(align=True).prop(settings, "quality", expand=True)
    column.prop(settings, "import_when_done")


def _draw_start(layout: bpy.types.UILayout, context: bpy.types.Context, view: JobView | None) -> None:
    row = layout.row()
    row.scale_y = 1.5
    row.operator("recon3d.reconstruct", icon="PLAY")
    layout.operator("recon3d.import_result", icon="IMPORT")
    layout.operator("recon3d.export_cameras", icon="EXPORT")
    if view is not None and not session.session.notes:
        icon = {DONE: "CHECKMARK", FAILED: "ERROR"}.get(view.state, "INFO")
        wrapped(layout, context, view.message, icon=icon)
    for note in session.session.notes:
        wrapped(layout, context, note, icon="INFO")


def _draw_progress(layout: bpy.types.UILayout, context: bpy.types.Context, view: JobView) -> None:
    left = view.left_at(time.time())
    text = f"{view.done} of {view.total}" if view.total else ""
    if left is not None:
        text += f", {duration(left)} left"
    column = layout.column(align=True)
    if view.stage_number:
        column.label(text=f"Step {view.stage_number} of {len(STAGES)}: {view.stage}")
    column.progress(factor=view.fraction, text=text)
    wrapped(column, context, view.message)
    layout.operator("recon3d.cancel", icon="X")


def register() -> None:
    bpy.utils.register_class(RECON3D_PT_main)


def unregister() -> None:
    bpy.utils.unregister_class(RECON3D_PT_main)
