"""The job that this Blender runs, and what happens to the scene when it ends. What the operators call.

One job at a time. A timer follows it and redraws the sidebars only when something has changed; it outlives the
loading of another file, and then does not import into the wrong one.
"""

from __future__ import annotations

from pathlib import Path

import bpy

from . import engine, preferences
from .pipeline.events import UserError
from .properties import photos_path, workspace_path
from .scene.build import ImportResult, import_workspace
from .scene.views import show_result
from .supervisor import DONE, FAILED, RUNNING, EngineJob, JobView

_INTERVAL = 0.25  # seconds between two looks at the job


class Session:
    """The one job of this Blender. view: None before the first; scene_uid: of the scene that started it."""

    def __init__(self) -> None:
        self.job: EngineJob | None = None
        self.scene_uid = 0
        self.notes: tuple[str, ...] = ()

    @property
    def view(self) -> JobView | None:
        return self.job.view if self.job else None

    @property
    def running(self) -> bool:
        return self.job is not None and self.job.view.state == RUNNING


session = Session()


# -- what the operators do --------------------------------------------------------------------------


def problem_with_starting(context: bpy.types.Context) -> str:
    """Why Reconstruct cannot start, for the button's tooltip; empty when it can."""
    if session.running:
        return "A reconstruction is running: cancel it or wait for it"
    if not context.scene.recon3d.photos:
        return "Choose the folder with the photos first"
    return preferences.engine_problem()


def start(context: bpy.types.Context) -> EngineJob:
    """Start the engine for the scene's settings. Raises UserError."""
    settings = context.scene.recon3d
    photos, workspace = photos_path(settings), workspace_path(settings)
    if photos is None or workspace is None:
        raise UserError("No photos are chosen: choose the folder with the photos.", 2)
    if not photos.exists():
        raise UserError(f"{photos} is not there: choose the folder with the photos.", 2)
    if session.running:
        raise UserError("A reconstruction is running: cancel it or wait for it.")
    python = engine.find_python(preference=preferences.engine_python())
    options = ["--quality", settings.quality, "--device", preferences.device()]
    arguments = ["run", str(photos), "-o", str(workspace), *options]
    session.job = EngineJob(engine.command(python, arguments), engine.environment(), workspace)
    session.scene_uid = context.scene.session_uid
    session.notes = ()
    return session.job


def follow_in_background() -> None:
    """Look after the running job from Blender's event loop."""
    if not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=_INTERVAL, persistent=True)


def wait(context: bpy.types.Context) -> str:
    """Block until the job has ended, import its result, and say so in a sentence. Raises UserError."""
    view = session.job.wait()
    if view.state == FAILED:
        raise UserError(view.message)
    if view.state != DONE:
        return view.message
    return import_result(context.scene, session.job.workspace.root).summary()


def cancel() -> None:
    if session.job:
        session.job.cancel()


def import_result(scene: bpy.types.Scene, folder: Path) -> ImportResult:
    """Import a workspace into a scene, show it, and keep what there is to say for the panel. Raises UserError."""
    result = import_workspace(folder, scene)
    show_result(result)
    session.notes = (result.summary(), *result.notes)
    return result


def forget() -> None:
    """Stop following; a running engine works on, since its results are in its workspace."""
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    session.job, session.notes = None, ()


# -- in Blender's event loop ------------------------------------------------------------------------


def _tick() -> float | None:
    if session.job is None:
        return None
    changed = session.job.poll()
    if session.job.view.state == DONE:
        _import_when_done()
    if changed:
        _redraw()
    return _INTERVAL if session.running else None


def _import_when_done() -> None:
    scene = next((s for s in bpy.data.scenes if s.session_uid == session.scene_uid), None)
    if scene is None:
        session.notes = (
            "Another file is open than when this began: press Import Result to bring it in here.",
        )
        return
    if not scene.recon3d.import_when_done:
        return
    try:
        import_result(scene, session.job.workspace.root)
    except UserError as error:
        session.notes = (str(error),)
        return
    windows = bpy.context.window_manager.windows
    if windows:
        with bpy.context.temp_override(window=windows[0]):
            bpy.ops.ed.undo_push(message="Import Reconstruction")


def _redraw() -> None:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()
