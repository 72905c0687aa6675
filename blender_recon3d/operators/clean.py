"""Take away from the cloud what does not belong to the subject, without loss."""

from __future__ import annotations

import bpy

from ..scene.cleaning import clean_modifier, crop_box
from ..scene.find_imports import current_import, make_active
from .reporting import ImportOperator, run_reported


class RECON3D_OT_analyse_cloud(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.analyse_cloud"
    bl_label = "Analyse Cloud"
    bl_description = "Count each point's neighbours and the size of its island, for the cleaning to go by"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: clean_modifier.analyse_cloud(current_import(context.scene)))


class RECON3D_OT_clean_cloud(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.clean_cloud"
    bl_label = "Clean Cloud"
    bl_description = "Add the cleaning modifier, with limits by which floaters go and the subject stays"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: clean_modifier.clean_cloud(current_import(context.scene)))


class RECON3D_OT_remove_cleaning(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.remove_cleaning"
    bl_label = "Remove Cleaning"
    bl_description = "Take the cleaning modifier away: all points are back"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: clean_modifier.remove_cleaning(current_import(context.scene)))


class RECON3D_OT_apply_cleaning(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.apply_cleaning"
    bl_label = "Apply Cleaning"
    bl_description = "Make a cloud of the points that are left; the original stays, hidden"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: _applied(context.scene))


class RECON3D_OT_add_crop_box(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.add_crop_box"
    bl_label = "Crop Box"
    bl_description = "Put a box round the subject; move, turn and scale it: what lies outside goes"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: _boxed(context))


class RECON3D_OT_write_crop(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.write_crop"
    bl_label = "Save Box for the Engine"
    bl_description = (
        "Write the box to crop.json in the results folder, for recon3d mesh --crop; Make Mesh does so too"
    )
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: f"Saved {crop_box.write_crop(current_import(context.scene))}.")


def _applied(scene: bpy.types.Scene) -> str:
    made = clean_modifier.apply_cleaning(current_import(scene))
    return f"{made.name} has {len(made.data.vertices):,} points; the cloud that it is made of is hidden."


def _boxed(context: bpy.types.Context) -> str:
    box = crop_box.add_crop_box(current_import(context.scene))
    make_active(box)
    return "Move, turn and scale the box over what shall stay."


CLASSES = (
    RECON3D_OT_analyse_cloud,
    RECON3D_OT_clean_cloud,
    RECON3D_OT_remove_cleaning,
    RECON3D_OT_apply_cleaning,
    RECON3D_OT_add_crop_box,
    RECON3D_OT_write_crop,
)
