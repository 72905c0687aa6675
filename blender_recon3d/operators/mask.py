"""Show, paint, save and discard the masks of photos."""

from __future__ import annotations

from typing import Any

import bpy

from ..pipeline.errors import UserError
from ..pipeline.text import Said
from ..scene.reviewing import mask_images
from ..scene.reviewing.photo_view import seen_photo
from .reporting import ImportOperator, run_reported


def _photo_of(scene: bpy.types.Scene) -> str:
    """The photo that the scene looks through, or else the one chosen in the review."""
    settings = scene.recon3d
    if seen_photo(scene):
        return seen_photo(scene)
    chosen = 0 <= settings.review_index < len(settings.review)
    return str(settings.review[settings.review_index].photo) if chosen else ""


class RECON3D_OT_paint_mask(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.paint_mask"
    bl_label = "Paint Mask"
    bl_description = (
        "Open the photo in the Image Editor with its mask as transparency, to be corrected with a brush"
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: _paint(context))


class RECON3D_OT_mask_brush(bpy.types.Operator):
    bl_idname = "recon3d.mask_brush"
    bl_label = "Mask Brush"
    bl_description = "Let the brush hide what it paints over, or show it again"
    bl_options = {"REGISTER", "INTERNAL"}

    hide: bpy.props.BoolProperty(name="Hide", description="Hide; otherwise show again", default=True)

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: _set_brush(context, self.hide))


class RECON3D_OT_save_mask(bpy.types.Operator):
    bl_idname = "recon3d.save_mask"
    bl_label = "Save Mask"
    bl_description = "Save the painted mask with the results; the next reconstruction uses it"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls: Any, context: bpy.types.Context) -> bool:
        if not painted_images():
            cls.poll_message_set("Press Paint Mask first")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: mask_images.save_painted(_shown_image(context)))


class RECON3D_OT_discard_mask(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.discard_mask"
    bl_label = "Discard Painted Mask"
    bl_description = "Remove the painted mask of this photo; the next reconstruction makes its own"
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene = context.scene
        return run_reported(self, lambda: mask_images.discard_painted(scene, _photo_of(scene)))


def painted_images() -> list[bpy.types.Image]:
    """All masks that are open for painting, the newest last."""
    return [image for image in bpy.data.images if mask_images.is_painted(image)]


def _shown_image(context: bpy.types.Context) -> bpy.types.Image:
    space = context.space_data
    shown = space.image if isinstance(space, bpy.types.SpaceImageEditor) else None
    return shown if mask_images.is_painted(shown) else painted_images()[-1]


def _paint(context: bpy.types.Context) -> str:
    image = mask_images.open_to_paint(context.scene, _photo_of(context.scene))
    if not bpy.app.background:
        _show_in_editor(context, image)
    return Said("Paint over what is to be hidden, then press Save Mask.")


def _show_in_editor(context: bpy.types.Context, image: bpy.types.Image) -> None:
    """In an Image Editor that is open, or in a new window."""
    manager = context.window_manager
    editors = [(w, a) for w in manager.windows for a in w.screen.areas if a.type == "IMAGE_EDITOR"]
    if not editors:
        bpy.ops.wm.window_new()
        window = manager.windows[-1]
        area = max(window.screen.areas, key=lambda each: each.width * each.height)
        area.type = "IMAGE_EDITOR"
        editors = [(window, area)]
    window, area = editors[0]
    space = area.spaces.active
    space.image = image
    space.mode, space.display_channels = "PAINT", "COLOR_ALPHA"
    space.show_region_ui = True
    _set_brush(context, hide=True, quiet=True)


def _set_brush(context: bpy.types.Context, hide: bool, quiet: bool = False) -> None:
    brush = context.tool_settings.image_paint.brush
    if brush is None:
        if quiet:
            return
        raise UserError("No brush is active: choose one in the Image Editor's paint mode.", 2)
    brush.blend = "ERASE_ALPHA" if hide else "ADD_ALPHA"


CLASSES = (RECON3D_OT_paint_mask, RECON3D_OT_mask_brush, RECON3D_OT_save_mask, RECON3D_OT_discard_mask)
