"""The panel for an imported result."""

from __future__ import annotations

import bpy

from ..panel_text import is_narrow
from ..scene.cameras import KEY
from ..scene.find_imports import current_import, find_imports
from ..scene.placement import SCALED
from ..scene.shown_parts import CAMERAS, CLOUDS, MESHES, PHOTOS, is_shown
from .tab import Tab

_PARTS = (
    (CAMERAS, "CAMERA_DATA", "Cameras"),
    (PHOTOS, "IMAGE_DATA", "Photos"),
    (CLOUDS, "OUTLINER_OB_POINTCLOUD", "Cloud"),
    (MESHES, "MESH_DATA", "Mesh"),
)


class RECON3D_PT_result(Tab, bpy.types.Panel):
    bl_idname = "RECON3D_PT_result"
    bl_label = "Result"

    def draw(self, context: bpy.types.Context) -> None:
        imports = find_imports(context.scene)
        if imports:
            collection = current_import(context.scene)
            grid = self.layout.grid_flow(
                columns=1 if is_narrow(context) else 2, row_major=True, even_columns=True, align=True
            )
            _draw_toggles(grid, collection)
            if not collection[KEY].get(SCALED, False):
                _draw_scale(self.layout, is_narrow(context))
            self.layout.prop(context.scene.recon3d, "viewport_points")
        column = self.layout.column(align=True)
        column.operator("recon3d.import_result", icon="IMPORT")
        narrow = is_narrow(context)
        column.operator(
            "recon3d.import_folder",
            icon="FILE_FOLDER",
            text="Import Folder..." if narrow else "Import COLMAP or Recon3D Folder...",
        )
        column.operator("recon3d.import_alignment", icon="CAMERA_DATA", text="Import Alignment...")
        column.operator("recon3d.use_scene_cameras", icon="OUTLINER_OB_CAMERA")
        if bpy.ops.recon3d.free_disk_space.poll():
            column.operator("recon3d.free_disk_space", icon="TRASH")


def _draw_scale(layout: bpy.types.UILayout, narrow: bool) -> None:
    """That the scale is not known, and both ways to set it."""
    if not narrow:
        layout = layout.split(factor=0.6, align=True)
        layout.label(text="Scale: not set", icon="INFO")
    row = layout.row(align=True)
    row.operator("recon3d.scale_to", text="Set Scale" if narrow else "Set")
    row.operator("recon3d.scale_from_photos", text="", icon="WORLD")


def _draw_toggles(row: bpy.types.UILayout, collection: bpy.types.Collection) -> None:
    """A visibility toggle for each part of the result."""
    for what, icon, text in _PARTS:
        shown = is_shown(collection, what)
        row.operator("recon3d.toggle_shown", text=text, icon=icon, depress=shown).what = what


CLASSES = (RECON3D_PT_result,)
