"""Progress of a running job, shown in the same way in the panel and in the status bar."""

from __future__ import annotations

import time

import bpy

from ..jobs import current_job
from ..jobs.job_view import DONE, FAILED, JobView
from ..panel_text import tr
from ..pipeline.stage import STAGES, stage
from ..pipeline.text import rough_duration


def bar_text(view: JobView) -> str:
    """For example: 43 %, about 5 min left."""
    now = time.time()
    text, left = f"{view.fraction_at(now):.0%}", view.seconds_left_at(now)
    return text if left is None else text + ", " + tr("about {time} left", time=rough_duration(left))


def step_text(view: JobView) -> str:
    """For example: Computing depth, 12 of 28. Empty before the first step."""
    if view.stage not in STAGES:
        return ""
    title = tr(stage(view.stage).title)
    return tr("{step}, {done} of {all}", step=title, done=view.done, all=view.total) if view.total else title


def end_text(view: JobView) -> str:
    """For example: Reconstruction finished: 28 of 28 photos, 490,280 points, in 14 min."""
    text = tr("Reconstruction finished" if view.state == DONE else "Reconstruction failed")
    first, end, _ = view.summary.partition(". ")  # the rest is in the panel
    return f"{text}: {first}{end.strip()}" if view.state == DONE and first else text


def draw_status_bar(header: bpy.types.Header, context: bpy.types.Context) -> None:
    """The job's progress, and then that it has ended, until the panel is used."""
    view = current_job.session.view
    if view is None:
        return
    row = header.layout.row(align=True)
    if current_job.session.running:
        row.label(text="Recon3D", icon="IMAGE_DATA", translate=False)
        bar = row.row(align=True)
        bar.ui_units_x = 12
        bar.progress(factor=view.fraction_at(time.time()), text=bar_text(view))
        row.label(text=step_text(view), translate=False)
    elif current_job.session.unseen and view.state in (DONE, FAILED):
        row.label(text=end_text(view), icon="CHECKMARK" if view.state == DONE else "ERROR", translate=False)


def register() -> None:
    bpy.types.STATUSBAR_HT_header.append(draw_status_bar)


def unregister() -> None:
    bpy.types.STATUSBAR_HT_header.remove(draw_status_bar)
