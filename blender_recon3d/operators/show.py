"""Show and hide parts of a result."""

from __future__ import annotations

import bpy

from ..scene import shown_parts
from ..scene.find_imports import current_import, find_imports
from ..scene.live import live_collection
from ..scene.viewports import frame_collection
from .reporting import ImportOperator, run_reported

_ITEMS = (
    (shown_parts.CAMERAS, "Cameras", "The cameras of the photos"),
    (shown_parts.PHOTOS, "Photos", "The photos behind the camera views"),
    (shown_parts.CLOUDS, "Cloud", "The point cloud"),
    (shown_parts.MESHES, "Mesh", "The mesh"),
)


class RECON3D_OT_toggle_shown(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.toggle_shown"
    bl_label = "Show or Hide"
    bl_description = "Show or hide a part of the result"

    what: bpy.props.EnumProperty(name="Part", description="Part of the result", items=_ITEMS)

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: _toggled(context.scene, self.what))


class RECON3D_OT_frame_result(bpy.types.Operator):
    bl_idname = "recon3d.frame_result"
    bl_label = "Frame Result"
    bl_description = "Frame the result, or the part found so far, in the view"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not (find_imports(context.scene) or live_collection(context.scene)):
            cls.poll_message_set("Import a result first")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        collection = live_collection(context.scene) or current_import(context.scene)
        return run_reported(self, lambda: frame_collection(collection))


def _toggled(scene: bpy.types.Scene, what: str) -> None:
    collection = current_import(scene)
    shown_parts.show(collection, what, not shown_parts.is_shown(collection, what))


CLASSES = (RECON3D_OT_toggle_shown, RECON3D_OT_frame_result)
