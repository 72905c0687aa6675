"""Remove the files of the results folder that no result needs."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..jobs import current_job, session
from ..panel_text import tr, wrapped
from ..pipeline.superfluous_files import clean, freed
from ..pipeline.workspace import Workspace
from ..properties import workspace_path
from .reporting import run_reported

_WIDTH = 420  # of the dialog


def _folder(context: bpy.types.Context) -> Path | None:
    """The scene's results folder, if there is one and no job is writing to it."""
    folder = workspace_path(context.scene.recon3d)
    there = (
        folder is not None and session.are_chosen(context.scene) and Workspace(folder).state_file.is_file()
    )
    return folder if there and not current_job.session.running else None


class RECON3D_OT_free_disk_space(bpy.types.Operator):
    bl_idname = "recon3d.free_disk_space"
    bl_label = "Free Disk Space"
    bl_description = (
        "Remove depth maps and other files that only save time if a step runs again. Results stay"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if _folder(context) is None:
            cls.poll_message_set("There are no finished results in the scene's results folder")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self._bytes = 0

        def look() -> str | None:
            answer = clean(Workspace(_folder(context)), delete=False)
            self._bytes = answer.bytes
            return None if answer.bytes else freed(answer)

        done = run_reported(self, look)
        if not self._bytes:
            return done
        return context.window_manager.invoke_props_dialog(self, width=_WIDTH, confirm_text="Remove")

    def draw(self, context: bpy.types.Context) -> None:
        text = tr(
            "{size} GB can be freed in {folder}.", size=f"{self._bytes / 2**30:.1f}", folder=_folder(context)
        )
        wrapped(self.layout, context, text)
        stays = tr("Cameras, cloud, mesh and texture stay. If a step runs again, it makes these files again.")
        wrapped(self.layout, context, stays)

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: freed(clean(Workspace(_folder(context)), delete=True)))


CLASSES = (RECON3D_OT_free_disk_space,)
