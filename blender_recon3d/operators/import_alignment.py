"""Use another program's cameras instead of finding them."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..jobs import session
from .reconstruct import StartsJob, run_job


class RECON3D_OT_import_alignment(StartsJob, bpy.types.Operator):
    bl_idname = "recon3d.import_alignment"
    bl_label = "Import Alignment"
    bl_description = (
        "Use the cameras of Metashape, RealityScan, Meshroom, COLMAP and others instead of finding them"
    )
    bl_options = {"REGISTER"}

    filepath: bpy.props.StringProperty(name="Project", subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(
        default="*.xml;*.csv;*.xmp;*.sfm;*.baf;*.json;*.out;*.nvm;*.bin;*.txt", options={"HIDDEN"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        project = Path(bpy.path.abspath(self.filepath))
        return run_job(self, context, lambda: session.start_alignment(context, project))


CLASSES = (RECON3D_OT_import_alignment,)
