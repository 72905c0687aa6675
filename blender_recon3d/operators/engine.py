"""Set up, repair, remove and check the engine."""

from __future__ import annotations

from typing import Any

import bpy

from ..jobs import setup_session
from ..panel_text import wrapped
from ..pipeline.errors import UserError
from ..scene.stepwise import Steps
from .in_steps import RunsInSteps
from .reporting import run_in_background, run_reported


class _ChangesTheEngine:
    """Mixin of the operators that change the engine, which one at a time may do."""

    @classmethod
    def poll(cls: Any, context: bpy.types.Context) -> bool:
        if setup_session.session.view.running:
            cls.poll_message_set("The engine is being set up")
            return False
        return True


class RECON3D_OT_set_up_engine(_ChangesTheEngine, bpy.types.Operator):
    bl_idname = "recon3d.set_up_engine"
    bl_label = "Set Up Engine"
    bl_description = "Download the engine's packages into their own folder, or repair them"
    bl_options = {"REGISTER"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        try:
            self._plan = setup_session.plan()
        except UserError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if not self._plan.able:
            self.report({"ERROR"}, self._plan.problems[0])
            return {"CANCELLED"}
        return context.window_manager.invoke_props_dialog(self, width=520, confirm_text="Download")

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        if self._plan.sentence:
            wrapped(layout, context, self._plan.sentence, width=560)
        header, body = layout.panel("recon3d_set_up_details", default_closed=bool(self._plan.sentence))
        header.label(text="Details")
        for line in self._plan.lines if body else ():
            wrapped(body, context, line, width=560)

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_in_background(
            self, setup_session.set_up, setup_session.follow_in_background, setup_session.wait
        )


class RECON3D_OT_add_photo_formats(_ChangesTheEngine, bpy.types.Operator):
    bl_idname = "recon3d.add_photo_formats"
    bl_label = "Add Photo Formats"
    bl_description = (
        "Download the packages that read camera RAW, OpenEXR and JPEG XL into the engine's folder"
    )
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_in_background(
            self, setup_session.add_photo_formats, setup_session.follow_in_background, setup_session.wait
        )


class RECON3D_OT_add_mask_network(_ChangesTheEngine, bpy.types.Operator):
    bl_idname = "recon3d.add_mask_network"
    bl_label = "Add Mask Network"
    bl_description = "Download the weights of the network for masks (5 MB) into the engine's folder"
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_in_background(
            self, setup_session.add_mask_network, setup_session.follow_in_background, setup_session.wait
        )


class RECON3D_OT_allow_online_access(bpy.types.Operator):
    bl_idname = "recon3d.allow_online_access"
    bl_label = "Allow Online Access"
    bl_description = "Enable Preferences > System > Network > Allow Online Access"
    bl_options = {"REGISTER", "INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if bpy.app.online_access_override:
            cls.poll_message_set("Blender was started with --offline-mode")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.preferences.system.use_online_access = True
        return {"FINISHED"}


class RECON3D_OT_cancel_set_up(bpy.types.Operator):
    bl_idname = "recon3d.cancel_set_up"
    bl_label = "Cancel Setup"
    bl_description = "Stop the setup; Set Up Engine continues from there later"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return setup_session.session.view.running

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, setup_session.cancel)


class RECON3D_OT_remove_engine(RunsInSteps, bpy.types.Operator):
    bl_idname = "recon3d.remove_engine"
    bl_label = "Remove Engine"
    bl_description = "Delete the environment created by Set Up Engine, and nothing else"
    bl_options = set()
    doing = "Removing the engine..."

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if setup_session.state() == "missing":
            cls.poll_message_set("There is no environment created by Set Up Engine")
            return False
        return not setup_session.session.view.running

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self._asked = True
        return context.window_manager.invoke_confirm(self, event)

    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str]:
        return setup_session.remove_in_steps()


class RECON3D_OT_check_engine(bpy.types.Operator):
    bl_idname = "recon3d.check_engine"
    bl_label = "Check Engine"
    bl_description = "List what works on this machine, and how to fix what does not"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, setup_session.ask_doctor)


CLASSES = (
    RECON3D_OT_set_up_engine,
    RECON3D_OT_add_photo_formats,
    RECON3D_OT_add_mask_network,
    RECON3D_OT_allow_online_access,
    RECON3D_OT_cancel_set_up,
    RECON3D_OT_remove_engine,
    RECON3D_OT_check_engine,
)
