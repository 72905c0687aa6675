"""Import a result into the scene: a workspace, or any folder with a COLMAP model."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..chosen_folders import is_chosen
from ..jobs import result_import
from ..pipeline.text import printable
from ..properties import workspace_path
from ..scene.importing.find_source import holds_model, second_model
from ..scene.stepwise import Steps
from .in_steps import RunsInSteps


class _Imports(RunsInSteps):
    doing = "Importing the result..."


class _LimitsPoints(_Imports):
    viewport_points: bpy.props.IntProperty(
        name="Points in Viewport",
        description="Overrides the scene's setting",
        min=0,  # 0: the scene's
        options={"SKIP_SAVE"},
    )


class RECON3D_OT_import_result(_LimitsPoints, bpy.types.Operator):
    bl_idname = "recon3d.import_result"
    bl_label = "Import Result"
    bl_description = "Import the result into the scene, or update an earlier import"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        folder = workspace_path(context.scene.recon3d)
        if folder is None:
            cls.poll_message_set("Choose the photos or the results folder first")
        elif is_chosen(folder) and not folder.is_dir():  # a path that only the .blend names is not accessed
            cls.poll_message_set(printable(f"{folder} does not exist yet: press Reconstruct first"))
            folder = None
        elif is_chosen(folder) and not holds_model(folder):
            cls.poll_message_set("There is no result in the results folder yet")
            folder = None
        return folder is not None

    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str]:
        result = yield from result_import.import_in_steps(
            context.scene, workspace_path(context.scene.recon3d), self.viewport_points
        )
        return result.summary()


class RECON3D_OT_import_folder(_LimitsPoints, bpy.types.Operator):
    bl_idname = "recon3d.import_folder"
    bl_label = "Import Reconstruction"
    bl_description = "Import any folder with a Recon3D workspace or a COLMAP model, binary or text"

    directory: bpy.props.StringProperty(name="Folder", subtype="DIR_PATH", options={"SKIP_SAVE"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self._asked = True
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str]:
        folder = Path(bpy.path.abspath(self.directory))
        result = yield from result_import.import_in_steps(context.scene, folder, self.viewport_points)
        return result.summary()


class RECON3D_OT_import_second_model(_Imports, bpy.types.Operator):
    bl_idname = "recon3d.import_second_model"
    bl_label = "Import Second Model"
    bl_description = "Import the photos that form a separate group as a second result"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        folder = workspace_path(context.scene.recon3d)
        if folder is None or not is_chosen(folder) or second_model(folder) is None:
            cls.poll_message_set("There is no second model in the results folder")
            return False
        return True

    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str]:
        folder = second_model(workspace_path(context.scene.recon3d))
        result = yield from result_import.beside_in_steps(context.scene, folder)
        return result.summary()


class RECON3D_OT_import_waiting(_Imports, bpy.types.Operator):
    bl_idname = "recon3d.import_waiting"
    bl_label = "Import Reconstruction"
    bl_description = "Import what the engine has just made"
    bl_options = {"UNDO", "INTERNAL"}

    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str | None]:
        return result_import.waiting_in_steps(context.scene)


CLASSES = (
    RECON3D_OT_import_result,
    RECON3D_OT_import_folder,
    RECON3D_OT_import_second_model,
    RECON3D_OT_import_waiting,
)
