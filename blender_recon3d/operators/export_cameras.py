"""Export the cameras to other programs."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..scene.exporting import export_cameras
from ..scene.exporting.export_cameras import KINDS
from .reporting import ImportOperator, run_reported


class RECON3D_OT_export_cameras(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.export_cameras"
    bl_label = "Export Cameras"
    bl_description = "Export the cameras as they are now, for reconstruction, training, VFX and game programs"
    bl_options = {"REGISTER"}

    directory: bpy.props.StringProperty(name="Folder", subtype="DIR_PATH", options={"SKIP_SAVE"})
    kind: bpy.props.EnumProperty(
        name="Format", items=[(name, kind.title, kind.description) for name, kind in KINDS.items()]
    )
    animated: bpy.props.BoolProperty(
        name="One Animated Camera",
        description="One camera that steps through the photos, one per frame, with markers named after the photos",
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.use_property_split = True
        self.layout.prop(self, "kind")
        row = self.layout.row()
        row.enabled = KINDS[self.kind].in_world and self.kind not in ("GLTF", "CHAN")
        row.prop(self, "animated")

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: self._export(context.scene))

    def _export(self, scene: bpy.types.Scene) -> str:
        folder = Path(bpy.path.abspath(self.directory or "//"))
        kind = KINDS[self.kind]
        collection = export_cameras.import_in(scene)
        return export_cameras.export_cameras(collection, folder / kind.file, self.kind, self.animated)


CLASSES = (RECON3D_OT_export_cameras,)
