"""Export the cameras to other programs."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..scene.exporting.export_cameras import KINDS, import_in
from ..scene.meshes.background_work import export_cameras_in_steps
from ..scene.stepwise import Steps
from .in_steps import RunsInSteps
from .reporting import ImportOperator


class RECON3D_OT_export_cameras(RunsInSteps, ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.export_cameras"
    bl_label = "Export Cameras"
    bl_description = "Export the cameras as they are now, for reconstruction, training, VFX and game programs"
    bl_options = set()  # the scene stays as it is
    doing = "Exporting..."

    directory: bpy.props.StringProperty(name="Folder", subtype="DIR_PATH", options={"SKIP_SAVE"})
    kind: bpy.props.EnumProperty(
        name="Format", items=[(name, kind.title, kind.description) for name, kind in KINDS.items()]
    )
    animated: bpy.props.BoolProperty(
        name="One Animated Camera",
        description="One camera that steps through the photos, one per frame, with markers named after the photos",
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self._asked = True
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.use_property_split = True
        self.layout.prop(self, "kind")
        row = self.layout.row()
        row.enabled = KINDS[self.kind].in_world and self.kind not in ("GLTF", "CHAN")
        row.prop(self, "animated")

    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str]:
        target = Path(bpy.path.abspath(self.directory or "//")) / KINDS[self.kind].file
        collection = import_in(context.scene)
        return export_cameras_in_steps(collection, target, self.kind, self.animated, in_window)


CLASSES = (RECON3D_OT_export_cameras,)
