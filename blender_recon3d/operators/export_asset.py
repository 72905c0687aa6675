"""Export the asset for other programs."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..jobs import engine_export
from ..panel_text import tr
from ..pipeline.exporting.file_formats import FORMATS, ORTHO, PRESETS, SPLATS, SURVEY, ending_of
from ..scene.exporting import export_asset
from ..scene.exporting.formats import EXPORTERS
from ..scene.find_imports import current_import, workspace_of
from ..scene.stepwise import Steps
from .in_steps import RunsInSteps
from .reporting import ImportOperator

_ITEMS = [(name, exporter.title, exporter.description) for name, exporter in EXPORTERS.items()]
_ITEMS += [(name, FORMATS[name].title, FORMATS[name].description) for name in (SPLATS, ORTHO)]
_ITEMS += [(name.upper(), preset.title, preset.description) for name, preset in PRESETS.items()]
_NO_OPTIONS = (SURVEY, ORTHO, "PRINT")


class RECON3D_OT_export_asset(RunsInSteps, ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.export_asset"
    bl_label = "Export Asset"
    bl_description = "Export the mesh, with its transform in the world, to another program"
    bl_options = set()  # the scene stays as it is
    doing = "Exporting..."

    filepath: bpy.props.StringProperty(
        name="File",
        description="File path, or a folder for 3DGS",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"},
    )
    preset: bpy.props.EnumProperty(name="Format", items=_ITEMS, default="GLB")
    fill: bpy.props.BoolProperty(
        name="Fill Holes",
        description=(
            "Close all holes in the exported file, for printing; the mesh in the scene is not changed"
        ),
    )
    scale: bpy.props.FloatProperty(
        name="Scale",
        description="Scale factor of the exported file; 1000 exports millimeters",
        default=1.0,
        min=1e-6,
    )

    photos: bpy.props.EnumProperty(
        name="Photos",
        description="Photos in the 3DGS folder",
        items=(
            ("FULL", "Full Size", "At full size, without lens distortion"),
            ("DEPTH", "As for Depth", "At the size used for depth maps: a smaller folder, written quickly"),
        ),
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The tooltip of a format's button describes that format."""
        about = next((item[2] for item in _ITEMS if item[0] == properties.preset), "")
        details = [tr("Holes are closed.")] if properties.fill else []
        details += [tr("In millimeters.")] if properties.scale == 1000 else []
        return " ".join((f"{tr(cls.bl_description)}.\n{tr(about)}.", *details))

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if not self.filepath:
            ending = _ending(self.preset)
            self.filepath = str(_suggested(context.scene, ending))
        self._asked = True
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "preset")
        if self.preset == SPLATS:
            layout.prop(self, "photos")
        elif self.preset not in _NO_OPTIONS:
            layout.prop(self, "fill")
            layout.prop(self, "scale")

    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str]:
        path = Path(bpy.path.abspath(self.filepath or "//asset"))
        return engine_export.export_in_steps(
            current_import(context.scene),
            path.absolute(),
            self.preset,
            self.fill,
            self.scale,
            self.photos.lower(),
            in_window,
        )


def _ending(preset: str) -> str:
    """The usual one, as Blender writes it."""
    return ending_of(export_asset.PURPOSES.get(preset, preset)) or "_3dgs"


def _suggested(scene: bpy.types.Scene, ending: str) -> Path:
    """A file named after the capture: beside the .blend, or beside the results where that is not saved yet."""
    workspace = workspace_of(current_import(scene))
    name = workspace.name.removesuffix("_recon3d") or "asset"
    folder = Path(bpy.data.filepath).parent if bpy.data.filepath else workspace.parent
    return folder / f"{name}{ending}"


CLASSES = (RECON3D_OT_export_asset,)
