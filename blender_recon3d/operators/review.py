"""Review the photos."""

from __future__ import annotations

from typing import Any

import bpy

from ..scene.find_imports import current_import, workspace_of
from ..scene.reviewing import camera_markers, photo_list, photo_view
from .reporting import ImportOperator, run_reported


class _NeedsReview:
    """Mixin of the operators that need a review."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls: Any, context: bpy.types.Context) -> bool:
        if not len(context.scene.recon3d.review):
            cls.poll_message_set("Import a result first")
            return False
        return True


class RECON3D_OT_look_through(_NeedsReview, bpy.types.Operator):
    bl_idname = "recon3d.look_through"
    bl_label = "Look Through Photo"
    bl_description = "View the scene through a photo's camera, with the photo as background"

    photo: bpy.props.StringProperty(name="Photo", description="Name of the photo in the review")

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: photo_view.look_through_photo(context.scene, self.photo))


class RECON3D_OT_step_photo(_NeedsReview, bpy.types.Operator):
    bl_idname = "recon3d.step_photo"
    bl_label = "Next Photo"
    bl_description = "Look through the next or previous photo of the review that has a camera"

    by: bpy.props.IntProperty(
        name="Step", description="1: next photo, -1: previous photo", default=1, min=-1, max=1
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: photo_view.step(context.scene, self.by or 1))


class RECON3D_OT_exit_photo_view(bpy.types.Operator):
    bl_idname = "recon3d.exit_photo_view"
    bl_label = "Exit Photo View"
    bl_description = "Restore the camera, resolution and view from before the first photo"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not context.scene.recon3d.before_photo.kept:
            cls.poll_message_set("The view is not looking through a photo")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: photo_view.leave(context.scene))


class RECON3D_OT_list_photos(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.list_photos"
    bl_label = "List Photos"
    bl_description = "Fill the review with the photos of the result in this scene"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: _listed(context.scene))


class RECON3D_OT_camera_markers(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.camera_markers"
    bl_label = "Camera Markers"
    bl_description = (
        "Add a timeline marker for each photo, bound to its camera, and set the frame range to them"
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene = context.scene
        return run_reported(self, lambda: camera_markers.add_camera_markers(scene, current_import(scene)))


def _listed(scene: bpy.types.Scene) -> None:
    photo_list.fill(scene, workspace_of(current_import(scene)))


CLASSES = (
    RECON3D_OT_list_photos,
    RECON3D_OT_look_through,
    RECON3D_OT_step_photo,
    RECON3D_OT_exit_photo_view,
    RECON3D_OT_camera_markers,
)
