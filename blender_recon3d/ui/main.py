"""The tab's first panel: photos, quality, Reconstruct, and what is happening."""

from __future__ import annotations

import time
from pathlib import Path

import bpy

from .. import preferences
from ..jobs import photo_inspection, session
from ..jobs.job_view import DONE, FAILED, RUNNING, JobView
from ..jobs.remedies import LABELS
from ..panel_text import tr, wrapped
from ..pipeline.documents.inspection_json import InspectionDocument
from ..pipeline.job_forecast import memory, total
from ..pipeline.text import printable, rough_duration
from ..properties import workspace_path
from . import job_status
from .engine import draw_missing
from .tab import Tab

_SET_ASIDE_SHOWN = 4


class RECON3D_PT_main(Tab, bpy.types.Panel):
    bl_idname = "RECON3D_PT_main"
    bl_label = "Reconstruction"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        if preferences.engine_problem():
            draw_missing(layout, context)
        _draw_photos(layout, context)
        view = session.session.view
        if view is not None and session.session.running:
            _draw_progress(layout, context, view)
        else:
            _draw_start(layout, context, view)


def _draw_photos(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    settings = context.scene.recon3d
    column = layout.column()
    column.enabled = not session.session.running
    column.label(text="Photos")
    row = column.row(align=True)
    row.prop(settings, "photos", text="")
    row.operator("recon3d.choose_photos", text="", icon="FILE_FOLDER")
    row.operator("recon3d.choose_video", text="", icon="FILE_MOVIE")
    if settings.photos and session.are_chosen(context.scene):
        _draw_inspection(column, context)
    elif settings.photos:
        box = column.box()
        wrapped(
            box,
            context,
            tr("This file names folders that were not chosen on this machine."),
            icon="INFO",
        )
        box.operator("recon3d.look_at_photos", icon="VIEWZOOM")
    column.label(text="Results")
    shown = printable(str(workspace_path(settings) or tr("beside the photos")))
    column.prop(settings, "workspace", text="", placeholder=shown)
    column.separator()
    column.row(align=True).prop(settings, "quality", expand=True)
    column.row(align=True).prop(settings, "until", text="")


def _draw_inspection(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    found = photo_inspection.current()
    if found is None:
        return
    box = layout.box().column(align=True)
    if found.error:
        wrapped(box, context, found.error, icon="ERROR")
    elif found.found is None:
        count = f": {found.done} / {found.total}" if found.total else ""
        box.label(text=(found.count or tr("Reading the photos")) + count, icon="IMAGE_DATA", translate=False)
    else:
        _draw_found(box, context, found.found)


def _draw_found(box: bpy.types.UILayout, context: bpy.types.Context, found: InspectionDocument) -> None:
    used, photos, videos = found.used, found.photos, found.videos
    count = tr("{used} of {photos} photos", used=used, photos=photos) if photos else ""
    count += (", " if photos and videos else "") + (tr("{videos} video(s)", videos=videos) if videos else "")
    box.label(text=count, icon="IMAGE_DATA", translate=False)
    for camera in found.cameras[:3]:
        focal = f", {camera.focal_mm:g} mm" if camera.focal_mm else ""
        name = printable(f"{camera.photos} x {camera.name}{focal}")  # EXIF may hold anything
        box.label(text=name, icon="BLANK1", translate=False)
    more = len(found.cameras) - 3
    if more > 0:
        box.label(text=tr("and {more} more cameras", more=more), icon="BLANK1", translate=False)
    aside = found.set_aside
    if aside:
        box.label(text=tr("{count} will be excluded", count=len(aside)), icon="INFO", translate=False)
        for item in aside[:_SET_ASIDE_SHOWN]:
            wrapped(box, context, f"{Path(item.photo).name}: {item.reason}", icon="BLANK1")
    for sentence in found.advice:
        wrapped(box, context, sentence, icon="INFO")
    forecast = found.forecasts.get(context.scene.recon3d.quality)
    if forecast:
        text = tr(
            "About {time}, {memory:.1f} GB of memory",
            time=rough_duration(total(forecast.seconds, context.scene.recon3d.until)),
            memory=memory(forecast, context.scene.recon3d.until) / 2**30,
        )
        box.label(text=text, icon="TIME", translate=False)


def _draw_start(layout: bpy.types.UILayout, context: bpy.types.Context, view: JobView | None) -> None:
    row = layout.row()
    row.scale_y = 1.5
    unfinished = session.session.state.unfinished
    row.operator("recon3d.reconstruct", text="Resume" if unfinished else "Reconstruct", icon="PLAY")
    if view is not None and not session.session.notes:
        icon = {DONE: "CHECKMARK", FAILED: "ERROR"}.get(view.state, "INFO")
        box = layout.box() if view.state == FAILED else layout
        wrapped(box, context, view.message, icon=icon)
        if view.state == FAILED and view.remedy in LABELS:
            box.operator("recon3d.remedy", text=LABELS[view.remedy])
    for note in session.session.notes:
        wrapped(layout, context, note, icon="INFO")


def _draw_progress(layout: bpy.types.UILayout, context: bpy.types.Context, view: JobView) -> None:
    column = layout.column(align=True)
    column.progress(factor=view.fraction_at(time.time()), text=job_status.bar_text(view))
    step = job_status.step_text(view)
    column.label(text=step or tr("Starting"), translate=False)
    if view.state == RUNNING and session.session.cancelling:
        layout.label(text="Cancelling...", icon="X")
    else:
        layout.operator("recon3d.cancel", icon="X")


CLASSES = (RECON3D_PT_main,)
