"""From a cloud to an asset: panels to clean, orient, mesh and export it, below the result panel."""

from __future__ import annotations

import bpy

from ..jobs import reprojection
from ..languages.panel_wording import in_panel
from ..panel_text import tr, wrapped
from ..pipeline.texel_density import Density
from ..scene.asset_state import AssetState, asset_state
from ..scene.cleaning.clean_modifier import INPUTS
from ..scene.exporting.formats import EXPORTERS, PURPOSES
from ..scene.find_imports import find_imports
from .tab import Tab


class _AssetPanel(Tab):
    """Shared by the panels: shown once there is a result."""

    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(find_imports(context.scene))


class RECON3D_PT_clean(_AssetPanel, bpy.types.Panel):
    bl_idname = "RECON3D_PT_clean"
    bl_label = "Clean Up Points"

    def draw(self, context: bpy.types.Context) -> None:
        layout, state = self.layout, asset_state(context.scene)
        if state.cleaning is None:
            layout.operator("recon3d.clean_cloud", icon="BRUSH_DATA")
        else:
            _draw_cleaning(layout, state)
        layout.operator(
            "recon3d.add_crop_box", icon="MESH_CUBE", text="Reset Crop Box" if state.box else "Add Crop Box"
        )
        row = layout.row(align=True)
        row.operator("recon3d.delete_lasso", icon="SELECT_SET").shape = "LASSO"
        row.operator("recon3d.delete_lasso", icon="MESH_PLANE", text="Box").shape = "BOX"
        if state.edited:
            column = layout.column(align=True)
            column.operator("recon3d.make_mesh", icon="PLAY", text="Build Mesh from Remaining Points")
            column.operator("recon3d.restore_points", icon="LOOP_BACK")
        if state.cleaning is not None:
            row = layout.row(align=True)
            row.operator("recon3d.apply_cleaning", icon="CHECKMARK", text="Apply")
            row.operator("recon3d.remove_cleaning", icon="X", text="Remove")
        layout.operator("recon3d.split_cloud", icon="MOD_EXPLODE")


def _draw_cleaning(layout: bpy.types.UILayout, state: AssetState) -> None:
    column = layout.column(align=True)
    for label, holder, key in state.inputs:
        if label == INPUTS["crop_box"].label:  # a bare field before 5.2
            column.prop_search(holder, key, bpy.data, "objects", text=tr(label))
        else:
            column.prop(holder, key, text=tr(label))
    if not state.analyzed:
        layout.operator("recon3d.compute_density", icon="VIEWZOOM")


class RECON3D_PT_stand(_AssetPanel, bpy.types.Panel):
    bl_idname = "RECON3D_PT_stand"
    bl_label = "Orientation & Scale"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        column = layout.column(align=True)
        column.operator("recon3d.ground_from_plane", icon="AXIS_TOP")
        column.operator("recon3d.ground_from_points", icon="VERTEXSEL")
        layout.operator_menu_enum("recon3d.up_axis", "axis", text="Up Axis", icon="EMPTY_SINGLE_ARROW")
        layout.operator_menu_enum(
            "recon3d.origin_under", "target", text="Move to Origin", icon="OBJECT_ORIGIN"
        )
        column = layout.column(align=True)
        column.operator("recon3d.scale_to", icon="DRIVER_DISTANCE")
        column.operator("recon3d.scale_from_photos", icon="WORLD")


class RECON3D_PT_mesh(_AssetPanel, bpy.types.Panel):
    bl_idname = "RECON3D_PT_mesh"
    bl_label = "Mesh"

    def draw(self, context: bpy.types.Context) -> None:
        layout, state = self.layout, asset_state(context.scene)
        row = layout.row()
        row.scale_y = 1.5
        row.operator("recon3d.make_mesh", icon="PLAY")
        layout.operator(
            "recon3d.import_mesh", icon="IMPORT", text="Update Mesh" if state.mesh else "Import Mesh"
        )
        if not state.mesh:
            return
        shown = tr("{name}: {faces} faces", name=state.mesh, faces=f"{state.faces:,}")
        wrapped(layout, context, shown, icon="MESH_DATA")
        if state.density is not None:
            wrapped(layout, context, _detail(state.density, *state.texture), icon="TEXTURE")
        column = layout.column(align=True)  # side by side, their labels would not fit
        column.operator("recon3d.decimate", icon="MOD_DECIM")
        column.operator("recon3d.make_quads", icon="MOD_REMESH")
        layout.operator("recon3d.make_lods", icon="MOD_MULTIRES")
        row = layout.row(align=True)
        row.operator("recon3d.fill_hole", icon="SNAP_FACE")
        row.operator("recon3d.fill_holes", text="All...")
        column = layout.column(align=True)
        column.operator("recon3d.bake_normals", icon="NODE_TEXTURE")
        column.operator("recon3d.bake_texture", icon="TEXTURE")
        _draw_reprojection(layout, context)


def _detail(density: Density, size: int, tiles: int) -> str:
    """How much of the photos' detail the texture shows, and how many tiles would show all."""
    shown, enough = density.detail(size, tiles), density.tiles(size)
    words = {"tiles": tiles, "size": f"{size:,}", "share": f"{shown:.0%}", "enough": enough}
    if enough <= tiles:
        return tr("{tiles} x {size} px: all of the photos' detail", **words)
    return tr(
        "{tiles} x {size} px: {share} of the photos' detail; all of it needs {enough} texture tiles", **words
    )


def _draw_reprojection(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    job = reprojection.current()
    if job is not None and job.running:
        row = layout.row(align=True)
        row.progress(
            factor=job.done / job.total if job.total else 0.0, text=tr("Painting {name}", name=job.name)
        )
        row.operator("recon3d.cancel_reprojection", icon="X", text="")
        return
    layout.operator("recon3d.reproject_photos", icon="BRUSH_DATA")
    if job is not None:
        wrapped(layout, context, in_panel(job.message), icon="ERROR" if job.failed else "INFO")


class RECON3D_PT_export(_AssetPanel, bpy.types.Panel):
    bl_idname = "RECON3D_PT_export"
    bl_label = "Export"

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column(align=True)
        for purpose in PURPOSES:
            row = column.row(align=True)
            row.enabled = not purpose.format or EXPORTERS[purpose.format].available()
            row.operator(
                "recon3d.export_asset", text=purpose.label, icon=purpose.icon
            ).preset = purpose.preset
        grid = self.layout.grid_flow(columns=3, even_columns=True, align=True)
        for name in EXPORTERS:
            cell = grid.row(align=True)
            cell.enabled = EXPORTERS[name].available()
            cell.operator("recon3d.export_asset", text=name).preset = name
        grid.operator("recon3d.export_asset", text="3DGS").preset = "SPLATS"
        missing = [exporter.title for exporter in EXPORTERS.values() if not exporter.available()]
        if missing:
            text = tr("Not in this build of Blender: {formats}", formats=", ".join(missing))
            wrapped(self.layout, context, text, icon="INFO")
        self.layout.operator("recon3d.export_cameras", icon="CAMERA_DATA")


CLASSES = (RECON3D_PT_clean, RECON3D_PT_stand, RECON3D_PT_mesh, RECON3D_PT_export)
