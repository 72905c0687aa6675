"""Remove points that do not belong to the subject, non-destructively."""

from __future__ import annotations

import bpy

from ..pipeline.text import Said
from ..scene import cloud_cells
from ..scene.cleaning import clean_modifier, crop_box, deleted_points
from ..scene.find_imports import current_import, make_active
from ..scene.stepwise import Steps
from .in_steps import RunsInSteps
from .reporting import ImportOperator, run_reported


class _CleansInSteps(RunsInSteps, ImportOperator):
    doing = "Computing the density..."


class RECON3D_OT_compute_density(_CleansInSteps, bpy.types.Operator):
    bl_idname = "recon3d.compute_density"
    bl_label = "Compute Density"
    bl_description = "Compute each point's number of neighbors and cluster size, which cleaning uses"

    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str]:
        return clean_modifier.density_in_steps(current_import(context.scene))


class RECON3D_OT_clean_cloud(_CleansInSteps, bpy.types.Operator):
    bl_idname = "recon3d.clean_cloud"
    bl_label = "Clean Cloud"
    bl_description = "Add the cleaning modifier, with limits that remove floating points and keep the subject"

    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str]:
        return clean_modifier.clean_in_steps(current_import(context.scene))


class RECON3D_OT_remove_cleaning(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.remove_cleaning"
    bl_label = "Remove Cleaning"
    bl_description = "Remove the cleaning modifier and show all points again"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: clean_modifier.remove_cleaning(current_import(context.scene)))


class RECON3D_OT_apply_cleaning(_CleansInSteps, bpy.types.Operator):
    bl_idname = "recon3d.apply_cleaning"
    bl_label = "Apply Cleaning"
    bl_description = "Create a new cloud from the remaining points; the original is kept, hidden"

    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str]:
        cloud = yield from clean_modifier.apply_in_steps(current_import(context.scene))
        count = f"{len(cloud.data.vertices):,}"
        return Said(
            "{name} has {points} points; the original cloud is hidden.", name=cloud.name, points=count
        )


class RECON3D_OT_split_cloud(RunsInSteps, ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.split_cloud"
    bl_label = "Split into Cells"
    bl_description = (
        "Split the cloud into boxes, each in a collection of its own, to show or edit parts of a large cloud; the "
        "cloud is kept, hidden"
    )
    doing = "Splitting the cloud..."
    asks = True

    points: bpy.props.IntProperty(
        name="Points per Cell",
        description="Max number of points of a cell",
        default=cloud_cells.POINTS,
        min=1000,
        soft_max=10_000_000,
        step=100_000,
    )

    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str]:
        cells = yield from cloud_cells.split_in_steps(current_import(context.scene), self.points)
        return Said("{name}: {cells}; the cloud is hidden.", name=cells.name, cells=len(cells.children))


class RECON3D_OT_restore_points(_CleansInSteps, bpy.types.Operator):
    bl_idname = "recon3d.restore_points"
    bl_label = "Restore Deleted Points"
    bl_description = "Read the whole cloud again; the mesh stays as it is until it is built again"
    doing = "Reading the cloud..."

    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str]:
        return deleted_points.restore_in_steps(current_import(context.scene))


class RECON3D_OT_add_crop_box(_CleansInSteps, bpy.types.Operator):
    bl_idname = "recon3d.add_crop_box"
    bl_label = "Crop Box"
    bl_description = "Add a box around the subject; points outside it are removed"

    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str]:
        make_active((yield from crop_box.crop_box_in_steps(current_import(context.scene))))
        return Said("Move, rotate and scale the box around the subject.")


class RECON3D_OT_write_crop(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.write_crop"
    bl_label = "Export Crop Box"
    bl_description = (
        "Write the box to crop.json in the results folder, for use outside Blender. Build Mesh does this "
        "automatically"
    )
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: f"Saved {crop_box.write_crop(current_import(context.scene))}.")


CLASSES = (
    RECON3D_OT_compute_density,
    RECON3D_OT_clean_cloud,
    RECON3D_OT_remove_cleaning,
    RECON3D_OT_apply_cleaning,
    RECON3D_OT_split_cloud,
    RECON3D_OT_restore_points,
    RECON3D_OT_add_crop_box,
    RECON3D_OT_write_crop,
)
