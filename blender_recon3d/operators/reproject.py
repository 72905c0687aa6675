"""Reproject Photos: paint the photos onto the active mesh."""

from __future__ import annotations

import bpy

from ..jobs import reprojection
from ..scene.stepwise import Steps
from .in_steps import RunsInSteps
from .mesh import TEXTURE_SIZES
from .reporting import ImportOperator, run_reported


class RECON3D_OT_reproject_photos(RunsInSteps, ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.reproject_photos"
    bl_label = "Reproject Photos"
    bl_description = (
        "Paint the photos onto the UVs of the active mesh, in the background; works on modeled or retopologized "
        "meshes too"
    )

    doing = "Writing the mesh..."
    asks = True

    size: bpy.props.EnumProperty(
        name="Size",
        description="Width and height of the image in pixels",
        items=TEXTURE_SIZES,
        default="4096",
    )

    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str | None]:
        yield from reprojection.start_in_steps(context.scene, int(self.size), in_window)
        if bpy.app.background:
            return reprojection.wait()
        reprojection.follow_in_background()
        return None


class RECON3D_OT_cancel_reprojection(bpy.types.Operator):
    bl_idname = "recon3d.cancel_reprojection"
    bl_label = "Cancel Reprojection"
    bl_description = "Stop painting; the mesh keeps its current material"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not reprojection.running():
            cls.poll_message_set("No photos are being reprojected")
        return reprojection.running()

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, reprojection.cancel)


CLASSES = (RECON3D_OT_reproject_photos, RECON3D_OT_cancel_reprojection)
