"""Start, pause and cancel a reconstruction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

from ..jobs import current_job, session
from ..properties import QUALITY_ITEMS, UNTIL_ITEMS
from .reporting import run_in_background, run_reported


class StartsJob:
    """Mixin of the operators that start the engine."""

    @classmethod
    def poll(cls: Any, context: bpy.types.Context) -> bool:
        problem = session.problem_with_starting()
        if problem:
            cls.poll_message_set(problem)
        return not problem


def run_job(
    operator: bpy.types.Operator, context: bpy.types.Context, start: Callable[[], object]
) -> set[str]:
    """Start the engine, and follow it or wait for its result."""
    return run_in_background(operator, start, session.follow_in_background, lambda: session.wait(context))


class RECON3D_OT_reconstruct(StartsJob, bpy.types.Operator):
    bl_idname = "recon3d.reconstruct"
    bl_label = "Reconstruct"
    bl_description = "Reconstruct the photos in the background, up to the chosen output"
    bl_options = {"REGISTER"}

    photos: bpy.props.StringProperty(
        name="Photos", description="Overrides the scene's setting", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )
    workspace: bpy.props.StringProperty(
        name="Results", description="Overrides the scene's setting", subtype="DIR_PATH", options={"SKIP_SAVE"}
    )
    quality: bpy.props.EnumProperty(
        name="Quality",
        description="Overrides the scene's setting",
        items=[("SCENE", "Use Scene Setting", "The quality set in the scene", 9), *QUALITY_ITEMS],
        default="SCENE",
        options={"SKIP_SAVE"},
    )

    until: bpy.props.EnumProperty(
        name="Output",
        description="Overrides the scene's setting",
        items=[("SCENE", "Use Scene Setting", "The output set in the scene", 9), *UNTIL_ITEMS],
        default="SCENE",
        options={"SKIP_SAVE"},
    )

    fresh: bpy.props.BoolProperty(
        name="Start Over",
        description="Start again from the photos; earlier results in the folder are replaced",
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if not (self.photos or context.scene.recon3d.photos):
            return bpy.ops.recon3d.choose_photos("INVOKE_DEFAULT")
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        once = {"quality": self.quality, "until": self.until}
        once = {name: value for name, value in once.items() if value != "SCENE"}
        return run_job(
            self, context, lambda: session.start(context, self.photos, self.workspace, self.fresh, **once)
        )


class _OfRunningJob:
    """Mixin of the operators that need a running reconstruction."""

    @classmethod
    def poll(cls: Any, context: bpy.types.Context) -> bool:
        if not current_job.session.running:
            cls.poll_message_set("No reconstruction is running")
            return False
        return True


class RECON3D_OT_cancel(_OfRunningJob, bpy.types.Operator):
    bl_idname = "recon3d.cancel"
    bl_label = "Cancel Reconstruction"
    bl_description = "Stop within seconds; progress is kept, and Resume continues"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, session.cancel)


class RECON3D_OT_pause(_OfRunningJob, bpy.types.Operator):
    bl_idname = "recon3d.pause"
    bl_label = "Pause Reconstruction"
    bl_description = (
        "Stop after the photos or pairs in progress, which frees memory, processor and graphics card. "
        "Resume continues from there"
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, session.pause)


CLASSES = (RECON3D_OT_reconstruct, RECON3D_OT_pause, RECON3D_OT_cancel)
