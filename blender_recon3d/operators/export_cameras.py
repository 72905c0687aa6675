"""The cameras to another program."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..scene.exporting import export_cameras
from .reporting import ImportOperator, run_reported


class RECON3D_OT_export_cameras(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.export_cameras"
    bl_label = "Export Cameras"
    bl_description = "Export the cameras as they are now, to COLMAP or nerfstudio"
    bl_options = {"REGISTER"}

    directory: bpy.props.StringProperty(name="Folder", subtype="DIR_PATH", options={"SKIP_SAVE"})
    kind: bpy.props.EnumProperty(
        name="Format",
        items=(
            (export_cameras.COLMAP, "COLMAP", "cameras.txt, images.txt and points3D.txt"),
            (export_cameras.NERFSTUDIO, "nerfstudio", "transforms.json"),
        ),
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: self._export(context.scene))

    def _export(self, scene: bpy.types.Scene) -> str:
        folder = Path(bpy.path.abspath(self.directory or "//"))
        target = folder if self.kind == export_cameras.COLMAP else folder / "transforms.json"
        return export_cameras.export_cameras(export_cameras.import_in(scene), target, self.kind)


CLASSES = (RECON3D_OT_export_cameras,)
