"""Bring a workspace's result into the scene."""

from __future__ import annotations

import bpy

from .. import session
from ..properties import workspace_path
from .reporting import run_reported


class RECON3D_OT_import_result(bpy.types.Operator):
    bl_idname = "recon3d.import_result"
    bl_label = "Import Result"
    bl_description = "Bring cameras and cloud into the scene, or update those of an earlier import"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        folder = workspace_path(context.scene.recon3d)
        if folder is None:
            cls.poll_message_set("Choose the photos or the folder of results first")
        elif not folder.is_dir():
            cls.poll_message_set(f"{folder} is not there yet: press Reconstruct first")
            folder = None
        return folder is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        folder = workspace_path(context.scene.recon3d)
        return run_reported(self, lambda: session.import_result(context.scene, folder).summary())


CLASSES = (RECON3D_OT_import_result,)
