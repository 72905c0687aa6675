"""Fill holes of the mesh: the one that is clicked, or all up to a size."""

# No `from __future__ import annotations`: Blender reads properties from annotations, which are calls here.

import bpy
import numpy as np

from ..scene.find_imports import current_import
from ..scene.meshes import hole_patches
from ..scene.stepwise import Steps
from .in_steps import RunsInSteps
from .pick_points import PicksPoints
from .reporting import ImportOperator, run_reported


class RECON3D_OT_fill_hole(PicksPoints, ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.fill_hole"
    bl_label = "Fill Hole"
    bl_description = (
        "Click the rim of a hole to fill it; in Edit Mode, fill the holes whose rims are selected. Reproject Photos "
        "then paints it"
    )
    count = 1
    prompt = "Click the rim of the hole"

    points: bpy.props.FloatVectorProperty(
        name="Point",
        description="A point in world space next to the hole, for scripts",
        size=3,
        subtype="NONE",
        options={"SKIP_SAVE", "HIDDEN"},
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        given = np.array(self.points) if self.properties.is_property_set("points") else None
        return run_reported(
            self, lambda: hole_patches.fill_holes(current_import(context.scene), points=given)
        )


class RECON3D_OT_fill_holes(RunsInSteps, ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.fill_holes"
    bl_label = "Fill Holes"
    bl_description = "Fill all holes of the mesh up to a size. Reproject Photos then paints them"
    doing = "Filling holes..."
    asks = True

    sides: bpy.props.IntProperty(
        name="Max Edges", description="Holes with more edges stay open; 0: fill all", default=100, min=0
    )

    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str]:
        return hole_patches.fill_in_steps(current_import(context.scene), self.sides)


CLASSES = (RECON3D_OT_fill_hole, RECON3D_OT_fill_holes)
