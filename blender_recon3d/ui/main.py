"""The tab's first panel: photos, quality, Reconstruct, and progress."""

from __future__ import annotations

import time
from pathlib import Path

import bpy

from .. import preferences
from ..jobs import current_job, next_step, photo_inspection, session, setup_session
from ..jobs.job_view import DONE, FAILED, RUNNING, JobView
from ..jobs.remedies import LABELS
from ..jobs.resume_state import FINISHED
from ..languages.panel_wording import in_panel
from ..panel_text import in_language, tr, wrapped
from ..pipeline.documents.inspection_json import InspectionDocument
from ..pipeline.job_forecast import memory, total
from ..pipeline.text import printable, rough_duration
from ..properties import workspace_path
from ..scene.chosen_photos import number_chosen
from ..scene.find_imports import find_imports
from . import job_status
from .engine import draw_missing, draw_set_up
from .tab import Tab

_MAX_EXCLUDED_SHOWN = 4


class RECON3D_PT_main(Tab, bpy.types.Panel):
    bl_idname = "RECON3D_PT_main"
    bl_label = "Reconstruction"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        if preferences.engine_problem():
            draw_missing(layout, context)
        elif setup_session.unfit():
            draw_set_up(layout.box(), context)
        _draw_photos(layout, context)
        view = current_job.session.view
        if view is not None and current_job.session.running:
            _draw_progress(layout, context, view)
        else:
            _draw_step(layout, context)
            _draw_notes(layout, context, view)
        _draw_inspection(layout, context)


def _draw_photos(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    settings = context.scene.recon3d
    column = layout.column()
    column.enabled = not current_job.session.running
    column.label(text="Photos")
    row = column.row(align=True)
    row.prop(settings, "photos", text="")
    row.operator("recon3d.choose_photos", text="", icon="FILE_FOLDER")
    if settings.photos:
        row.operator("recon3d.choose_photos", text="", icon="ADD").add = True
    number = number_chosen(settings)
    if number:
        row = column.row(align=True)
        row.label(text=tr("{count} chosen in this folder", count=number), icon="CHECKMARK", translate=False)
        row.operator("recon3d.clear_photos", text="", icon="X")
    if settings.photos and not session.are_chosen(context.scene):
        text = tr("This file contains folders that were not chosen on this machine.")
        wrapped(column.box(), context, text, icon="INFO")
    column.label(text="Results")
    shown = printable(str(workspace_path(settings) or tr("beside the photos")))
    column.prop(settings, "workspace", text="", placeholder=shown)
    column.separator()
    row = column.row(align=True)
    row.prop(settings, "quality", expand=True)
    row.menu("RECON3D_MT_presets", text="", icon="PRESET")
    row = column.split(factor=0.3, align=True)
    row.label(text="Output")
    row.prop(settings, "until", text="")


def _draw_step(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The next step as a large button, with the alternatives below it."""
    facts = next_step.facts_of(context.scene)
    step = next_step.next_step(facts)
    if step is not None:
        row = layout.row()
        row.scale_y = 1.6
        button = row.operator(step.operator, text=step.label, icon=step.icon)
        for name, value in step.arguments.items():
            setattr(button, name, value)
    if step is not None and step.label == "Set Scale":  # optional
        layout.operator("recon3d.export_asset", text="Export", icon="EXPORT").preset = "GLB"
    if facts.photos and (step is None or not step.with_photos):
        layout.operator("recon3d.reconstruct", icon="PLAY")
    elif facts.unfinished:
        layout.operator("recon3d.reconstruct", text="Start Over", icon="FILE_REFRESH").fresh = True


def _draw_inspection(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Details of the photos; collapsed once a job has started."""
    inspection = photo_inspection.current()
    settings = context.scene.recon3d
    if inspection is None or not settings.photos or not session.are_chosen(context.scene):
        return
    header, body = layout.panel_prop(settings, "show_inspection")
    header.label(
        text=_inspection_title(inspection),
        icon="ERROR" if inspection.error else "IMAGE_DATA",
        translate=False,
    )
    if body is None:
        return
    if inspection.error:
        wrapped(body, context, in_panel(inspection.error), icon="ERROR")
    elif inspection.found is not None:
        _draw_found(body.column(align=True), context, inspection.found)


def _inspection_title(inspection: photo_inspection.Inspection) -> str:
    if inspection.error:
        return tr("Photos")
    if inspection.found is None:
        count = f": {inspection.done} / {inspection.total}" if inspection.total else ""
        return (inspection.count or tr("Reading the photos")) + count
    used, photos, videos = inspection.found.used, inspection.found.photos, inspection.found.videos
    count = tr("{used} of {photos} photos", used=used, photos=photos) if photos else ""
    return (
        count
        + (", " if photos and videos else "")
        + (tr("{videos} video(s)", videos=videos) if videos else "")
    )


def _draw_found(box: bpy.types.UILayout, context: bpy.types.Context, document: InspectionDocument) -> None:
    for camera in document.cameras[:3]:
        focal = f", {camera.focal_mm:g} mm" if camera.focal_mm else ""
        text = tr(
            "Camera: {name} ({photos} photos, {width} x {height})",
            name=printable(camera.name) + focal,  # EXIF may hold anything
            photos=camera.photos,
            width=camera.width,
            height=camera.height,
        )
        wrapped(box, context, text, icon="BLANK1")
    others = len(document.cameras) - 3
    if others > 0:
        box.label(text=tr("and {more} more cameras", more=others), icon="BLANK1", translate=False)
    aside = document.set_aside
    if aside:
        box.label(text=tr("{count} will be excluded", count=len(aside)), icon="INFO", translate=False)
        for item in aside[:_MAX_EXCLUDED_SHOWN]:
            wrapped(box, context, f"{Path(item.photo).name}: {item.reason}", icon="BLANK1")
    for sentence in document.advice:
        wrapped(box, context, sentence, icon="INFO")
    if document.packages:
        if setup_session.session.view.running:
            draw_set_up(box, context)
        else:
            box.operator("recon3d.add_photo_formats", icon="IMPORT")
    forecast = forecast_text(context.scene, document)
    if forecast:
        wrapped(box, context, forecast, icon="TIME")


def forecast_text(scene: bpy.types.Scene, document: InspectionDocument) -> str:
    """Time and memory; empty for a finished job."""
    settings = scene.recon3d
    forecast = document.forecasts.get(settings.quality)
    if not forecast or current_job.session.state.state == FINISHED:
        return ""
    return tr(
        "About {time}, {memory:.1f} GB of memory",
        time=rough_duration(total(forecast.seconds, settings.until)),
        memory=memory(forecast, settings.until) / 2**30,
    )


def _draw_notes(layout: bpy.types.UILayout, context: bpy.types.Context, view: JobView | None) -> None:
    """The outcome of the last job or import."""
    if view is not None and not current_job.session.notes:
        icon = {DONE: "CHECKMARK", FAILED: "ERROR"}.get(view.state, "INFO")
        box = layout.box() if view.state == FAILED else layout
        wrapped(box, context, view.message, icon=icon)
        # No second button for what the large button already does.
        if view.state == FAILED and view.remedy in LABELS and view.remedy not in ("again", "photos"):
            box.operator("recon3d.remedy", text=LABELS[view.remedy])
    gone = current_job.session.result is not None and not find_imports(context.scene)  # by undo
    for note in () if gone else current_job.session.notes:
        wrapped(layout, context, in_language(note), icon="INFO")


def _draw_progress(layout: bpy.types.UILayout, context: bpy.types.Context, view: JobView) -> None:
    column = layout.column(align=True)
    column.progress(factor=view.fraction_at(time.time()), text=job_status.bar_text(view))
    step = job_status.step_text(view)
    row = column.row(align=True)
    row.label(text=step or tr("Starting"), translate=False)
    row.operator("recon3d.frame_result", text="", icon="ZOOM_SELECTED")
    if view.state == RUNNING and current_job.session.cancelling:
        layout.label(text="Cancelling...", icon="X")
        return
    row = layout.row(align=True)
    if current_job.session.pausing:
        row.label(text="Pausing...", icon="PAUSE")
    else:
        row.operator("recon3d.pause", text="Pause", icon="PAUSE")
    row.operator("recon3d.cancel", text="Cancel", icon="X")


CLASSES = (RECON3D_PT_main,)
