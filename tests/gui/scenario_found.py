"""Blender opened again while the engine is running: the run is found, followed, and can be cancelled and resumed.

WORDS: the folder of the job that an earlier Blender has started.
"""

import importlib

import bpy

addon = importlib.import_module(
    next(n for n in bpy.context.preferences.addons.keys() if n.endswith("recon3d"))
)
current_job = importlib.import_module(f"{addon.__name__}.jobs.current_job")


def scenario(ui, workspace):
    settings = bpy.context.scene.recon3d
    yield from ui.open_tab("Recon3D")
    yield from ui.until(lambda: current_job.session.running, 20, "the run is found")
    assert settings.workspace == workspace and settings.photos
    yield from ui.until(lambda: current_job.session.view.stage, 60, "it is followed")
    ui.shot("1-found.png")
    yield from ui.press("bpy.ops.recon3d.cancel")
    yield from ui.until(lambda: not current_job.session.running, 40, "it is cancelled")
    assert current_job.session.view.state == "cancelled"
    yield 0.5
    ui.shot("2-cancelled.png")
