"""Load and save presets."""

# No `from __future__ import annotations`: Blender reads properties from annotations, which are calls here.

from pathlib import Path

import bpy

from ..jobs import presets
from ..pipeline.paths import PRESETS
from .reporting import run_reported


class RECON3D_OT_apply_preset(bpy.types.Operator):
    bl_idname = "recon3d.apply_preset"
    bl_label = "Load Preset"
    bl_description = "Load all settings from a file; settings not in the file become automatic"
    bl_options = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(name="File", subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.filepath:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        path = Path(bpy.path.abspath(self.filepath))
        return run_reported(self, lambda: presets.apply_preset(context.scene, path))


class RECON3D_OT_save_preset(bpy.types.Operator):
    bl_idname = "recon3d.save_preset"
    bl_label = "Save Preset"
    bl_description = "Save all settings to a file, for other captures, other people and the command line"
    bl_options = {"REGISTER"}

    filepath: bpy.props.StringProperty(name="File", subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        folder = presets.own_folder()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self.filepath = str((folder or Path.home()) / "My Preset.json")
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        path = Path(bpy.path.abspath(self.filepath))
        return run_reported(self, lambda: presets.save_preset(context.scene, path))


class RECON3D_MT_presets(bpy.types.Menu):
    bl_idname = "RECON3D_MT_presets"
    bl_label = "Presets"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        for path in presets.presets():
            # The names of bundled presets are translated, those of the user's are not.
            layout.operator(
                "recon3d.apply_preset", text=path.stem, translate=path.parent == PRESETS
            ).filepath = str(path)
        layout.separator()
        layout.operator("recon3d.apply_preset", text="Load Preset...", icon="FILE_FOLDER")
        layout.operator("recon3d.save_preset", text="Save Preset...", icon="ADD")


CLASSES = (RECON3D_OT_apply_preset, RECON3D_OT_save_preset, RECON3D_MT_presets)
