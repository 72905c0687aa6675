"""Remove points that do not belong to the subject, without loss."""

from __future__ import annotations

import bpy

from ..scene.cleaning import clean_modifier, crop_box
from ..scene.find_imports import current_import, make_active
from .reporting import ImportOperator, run_reported


class RECON3D_OT_compute_density(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.compute_density"
    bl_label = "Compute Density"
    bl_description = "Compute each point's number of neighbors and cluster size, which cleaning uses"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: clean_modifier.compute_density(current_import(context.scene)))


class RECON3D_OT_clean_cloud(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.clean_cloud"
    bl_label = "Clean Cloud"
    bl_description = "Add the cleaning modifier, with limits that remove floating points and keep the subject"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: clean_modifier.clean_cloud(current_import(context.scene)))


class RECON3D_OT_remove_cleaning(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.remove_cleaning"
    bl_label = "Remove Cleaning"
    bl_description = "Remove the cleaning modifier and show all points again"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: clean_modifier.remove_cleaning(current_import(context.scene)))


class RECON3D_OT_apply_cleaning(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.apply_cleaning"
    bl_label = "Apply Cleaning"
    bl_description = "Make a new cloud of the remaining points; the original is kept, hidden"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: _applied(context.scene))


class RECON3D_OT_add_crop_box(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.add_crop_box"
    bl_label = "Crop Box"
    bl_description = "Add a box around the subject; points outside it are removed"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: _boxed(context))


class RECON3D_OT_write_crop(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.write_crop"
    bl_label = "Export Crop Box"
    bl_description = (
        "Write the box to crop.json in the results folder, for use outside Blender. Build Mesh does this "
        "by itself"
    )
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: f"Saved {crop_box.write_crop(current_import(context.scene))}.")


def _applied(scene: bpy.types.Scene) -> str:
    made = clean_modifier.apply_cleaning(current_import(scene))
    return f"{made.name} has {len(made.data.vertices):,} points; the original cloud is hidden."


def _boxed(context: bpy.types.Context) -> str:
    box = crop_box.add_crop_box(current_import(context.scene))
    make_active(box)
    return "Move, rotate and scale the box around the subject."


CLASSES = (
    RECON3D_OT_compute_density,
    RECON3D_OT_clean_cloud,
    RECON3D_OT_remove_cleaning,
    RECON3D_OT_apply_cleaning,
    RECON3D_OT_add_crop_box,
    RECON3D_OT_write_crop,
)
