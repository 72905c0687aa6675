"""Masks: over the photo in the review, and in the Image Editor while one is painted."""

from __future__ import annotations

import bpy

from ..scene.reviewing import mask_images


def draw_masks(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The row below a photo that is looked through."""
    row = layout.row(align=True)
    shown = row.row(align=True)
    shown.enabled = mask_images.has_masks(context.scene)
    shown.prop(context.scene.recon3d, "show_masks", icon="MOD_MASK", toggle=True)
    row.operator("recon3d.paint_mask", icon="BRUSH_DATA")
    row.operator("recon3d.discard_mask", text="", icon="X")


class RECON3D_PT_mask(bpy.types.Panel):
    bl_space_type = "IMAGE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Recon3D"
    bl_idname = "RECON3D_PT_mask"
    bl_label = "Mask"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return mask_images.is_painted(context.space_data.image)

    def draw(self, context: bpy.types.Context) -> None:
        row = self.layout.row(align=True)
        row.operator("recon3d.mask_brush", text="Hide", icon="HIDE_ON").hide = True
        row.operator("recon3d.mask_brush", text="Show", icon="HIDE_OFF").hide = False
        self.layout.operator("recon3d.save_mask", icon="FILE_TICK")


CLASSES = (RECON3D_PT_mask,)
