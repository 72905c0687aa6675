"""Start and cancel a reconstruction."""

from __future__ import annotations

import bpy

from .. import session
from .reporting import run_reported


class RECON3D_OT_reconstruct(bpy.types.Operator):
    bl_idname = "recon3d.reconstruct"
    bl_label = "Reconstruct"
    bl_description = "Compute cameras and a dense cloud from the photos, in a process of its own"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        problem = session.problem_with_starting(context)
        if problem:
            cls.poll_message_set(problem)
        return not problem

    def execute(self, context: bpy.types.Context) -> set[str]:
        run = _and_wait if bpy.app.background else _and_follow
        return run_reported(self, lambda: run(context))


class RECON3D_OT_cancel(bpy.types.Operator):
    bl_idname = "recon3d.cancel"
    bl_label = "Cancel"
    bl_description = "Stop the reconstruction; Reconstruct goes on from there later"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not session.session.running:
            cls.poll_message_set("No reconstruction is running")
        return session.session.running

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, session.cancel)


def _and_follow(context: bpy.types.Context) -> None:
    session.start(context)
    session.follow_in_background()


def _and_wait(context: bpy.types.Context) -> str:
    session.start(context)
    return session.wait(context)


CLASSES = (RECON3D_OT_reconstruct, RECON3D_OT_cancel)
