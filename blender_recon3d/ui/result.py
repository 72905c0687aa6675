"""What can be done with a result."""

from __future__ import annotations

import bpy

from .tab import Tab


class RECON3D_PT_result(Tab, bpy.types.Panel):
    bl_idname = "RECON3D_PT_result"
    bl_label = "Result"

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column(align=True)
        column.operator("recon3d.import_result", icon="IMPORT")
        column.operator("recon3d.import_folder", icon="FILE_FOLDER", text="Import COLMAP or Recon3D Folder")


CLASSES = (RECON3D_PT_result,)
