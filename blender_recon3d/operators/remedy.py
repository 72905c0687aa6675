"""Apply the fix suggested for a failed job."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..jobs import current_job, setup_session
from ..jobs.job_view import FAILED
from ..pipeline.errors import UserError
from ..pipeline.workspace import Workspace
from ..properties import workspace_path
from .reporting import run_reported


class RECON3D_OT_remedy(bpy.types.Operator):
    bl_idname = "recon3d.remedy"
    bl_label = "Apply Suggestion"
    bl_description = "Apply the fix that the message suggests"
    bl_options = {"REGISTER", "INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        view = current_job.session.view
        return view is not None and view.state == FAILED

    def execute(self, context: bpy.types.Context) -> set[str]:
        remedy = current_job.session.view.remedy
        if remedy == "photos":
            return bpy.ops.recon3d.choose_photos("INVOKE_DEFAULT")
        if remedy == "results":
            return bpy.ops.recon3d.choose_results("INVOKE_DEFAULT")
        if remedy == "engine":
            return bpy.ops.recon3d.set_up_engine("INVOKE_DEFAULT")
        if remedy == "mask network":
            return bpy.ops.recon3d.add_mask_network()
        if remedy == "log":
            return bpy.ops.recon3d.open_log(which="JOB")
        return bpy.ops.recon3d.reconstruct(quality="preview" if remedy == "preview" else "SCENE")


class RECON3D_OT_open_log(bpy.types.Operator):
    bl_idname = "recon3d.open_log"
    bl_label = "Open Log"
    bl_description = "Open the log in the system's text editor"
    bl_options = {"REGISTER"}

    which: bpy.props.EnumProperty(
        name="Log",
        items=(("JOB", "Reconstruction", "log.txt"), ("SETUP", "Engine", "The log of Set Up Engine")),
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: _open(context, self.which))


def _open(context: bpy.types.Context, which: str) -> str:
    path = setup_session.log_file() if which == "SETUP" else _job_log(context.scene)
    bpy.ops.wm.path_open(filepath=str(path))
    return str(path)


def _job_log(scene: bpy.types.Scene) -> Path:
    """The log of the scene's workspace. Raises UserError if there is none."""
    folder = (
        current_job.session.job.workspace.root if current_job.session.job else workspace_path(scene.recon3d)
    )
    log = Workspace(folder).log if folder else None
    if log is None or not log.is_file():
        raise UserError("There is no log yet: press Reconstruct first.")
    return log


CLASSES = (RECON3D_OT_remedy, RECON3D_OT_open_log)
