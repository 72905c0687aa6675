"""Choose photos, a video, or the results folder with Blender's file browser."""

from __future__ import annotations

import bpy

from ..jobs import session
from .reporting import run_reported


class _Choose:
    """What the choosing operators share. target: the setting that takes the path."""

    bl_options = {"REGISTER", "UNDO", "INTERNAL"}
    target = "photos"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        path = getattr(self, "filepath", "") or getattr(self, "directory", "")
        setattr(context.scene.recon3d, self.target, path)
        return {"FINISHED"}


class RECON3D_OT_choose_photos(_Choose, bpy.types.Operator):
    bl_idname = "recon3d.choose_photos"
    bl_label = "Choose Photos"
    bl_description = "Choose the folder with the photos"

    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    filter_image: bpy.props.BoolProperty(default=True, options={"HIDDEN"})


class RECON3D_OT_choose_video(_Choose, bpy.types.Operator):
    bl_idname = "recon3d.choose_video"
    bl_label = "Choose Video"
    bl_description = "Choose a video to extract frames from"

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    filter_movie: bpy.props.BoolProperty(default=True, options={"HIDDEN"})


class RECON3D_OT_choose_results(_Choose, bpy.types.Operator):
    bl_idname = "recon3d.choose_results"
    bl_label = "Choose Results Folder"
    bl_description = "Choose another folder for the results"
    target = "workspace"

    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})


class RECON3D_OT_look_at_photos(bpy.types.Operator):
    bl_idname = "recon3d.look_at_photos"
    bl_label = "Look at These Photos"
    bl_description = "Read the photos and results folders that this file names"
    bl_options = {"REGISTER", "INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(context.scene.recon3d.photos)

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: session.look_at_photos(context.scene))


CLASSES = (
    RECON3D_OT_choose_photos,
    RECON3D_OT_choose_video,
    RECON3D_OT_choose_results,
    RECON3D_OT_look_at_photos,
)
