"""Bring a result into the scene: the workspace's, or any folder with a COLMAP model."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..chosen_folders import is_chosen
from ..jobs import session
from ..pipeline.text import printable
from ..properties import workspace_path
from ..scene.importing.find_source import holds_model, second_model
from .reporting import run_reported


class RECON3D_OT_import_result(bpy.types.Operator):
    bl_idname = "recon3d.import_result"
    bl_label = "Import Result"
    bl_description = "Import the result into the scene, or update an earlier import"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        folder = workspace_path(context.scene.recon3d)
        if folder is None:
            cls.poll_message_set("Choose the photos or the results folder first")
        elif is_chosen(folder) and not folder.is_dir():  # nothing is asked of a path that only a file names
            cls.poll_message_set(printable(f"{folder} does not exist yet: press Reconstruct first"))
            folder = None
        elif is_chosen(folder) and not holds_model(folder):
            cls.poll_message_set("There is no result in the results folder yet")
            folder = None
        return folder is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        folder = workspace_path(context.scene.recon3d)
        return run_reported(self, lambda: session.import_result(context.scene, folder).summary())


class RECON3D_OT_import_folder(bpy.types.Operator):
    bl_idname = "recon3d.import_folder"
    bl_label = "Import Reconstruction"
    bl_description = "Import any folder with a Recon3D workspace or a COLMAP model, binary or text"
    bl_options = {"REGISTER", "UNDO"}

    directory: bpy.props.StringProperty(name="Folder", subtype="DIR_PATH", options={"SKIP_SAVE"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        folder = Path(bpy.path.abspath(self.directory))
        return run_reported(self, lambda: session.import_result(context.scene, folder).summary())


class RECON3D_OT_import_second_model(bpy.types.Operator):
    bl_idname = "recon3d.import_second_model"
    bl_label = "Import Second Model"
    bl_description = "Import the photos that form a separate group, as a result of their own"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        folder = workspace_path(context.scene.recon3d)
        if folder is None or not is_chosen(folder) or second_model(folder) is None:
            cls.poll_message_set("The results folder holds no second model")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        folder = second_model(workspace_path(context.scene.recon3d))
        return run_reported(self, lambda: session.import_beside(context.scene, folder).summary())


CLASSES = (RECON3D_OT_import_result, RECON3D_OT_import_folder, RECON3D_OT_import_second_model)
