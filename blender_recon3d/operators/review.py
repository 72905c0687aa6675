"""Look at what became of the photos."""

from __future__ import annotations

import bpy

from ..scene.reviewing import photo_list
from .reporting import run_reported


class RECON3D_OT_look_through(bpy.types.Operator):
    bl_idname = "recon3d.look_through"
    bl_label = "Look Through Photo"
    bl_description = "View the scene through a photo's camera, with the photo as background"
    bl_options = {"REGISTER", "UNDO"}

    photo: bpy.props.StringProperty(name="Photo", description="Name of the photo in the review")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not len(context.scene.recon3d.review):
            cls.poll_message_set("Import a result first")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: photo_list.look_through_photo(context.scene, self.photo))


CLASSES = (RECON3D_OT_look_through,)
