"""Use the scene's own cameras instead of finding them."""

from __future__ import annotations

import bpy

from ..jobs import session
from ..pipeline.errors import UserError
from ..properties import workspace_path
from ..scene.exporting.scene_cameras import write_scene_cameras
from .reconstruct import StartsJob, run_job


class RECON3D_OT_use_scene_cameras(StartsJob, bpy.types.Operator):
    bl_idname = "recon3d.use_scene_cameras"
    bl_label = "Use Scene Cameras"
    bl_description = "Use the scene's cameras that are named like the photos or have them as backgrounds"
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_job(self, context, lambda: self._start(context))

    def _start(self, context: bpy.types.Context) -> object:
        if not context.scene.recon3d.photos:
            raise UserError("Choose the photos first.", 2)
        folder = workspace_path(context.scene.recon3d)
        project = folder.with_name(f"{folder.name}_cameras.json")
        write_scene_cameras(context.scene, project)
        return session.start_alignment(context, project)


CLASSES = (RECON3D_OT_use_scene_cameras,)
