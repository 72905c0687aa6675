"""From the open sidebar to a GLB: at most six clicks. Enter counts as one; walking through folders does not.

WORDS: a folder of photos, and the GLB that is to be written.
"""

import importlib
import os

import bpy

name = next(n for n in bpy.context.preferences.addons.keys() if n.endswith("recon3d"))
current_job, photo_inspection = (
    importlib.import_module(f"{name}.jobs.{part}") for part in ("current_job", "photo_inspection")
)
MAX_CLICKS = 6


def scenario(ui, photos, target):
    bpy.context.preferences.view.filebrowser_display_type = "SCREEN"
    settings = bpy.context.scene.recon3d
    settings.quality, settings.advanced.features = (
        "preview",
        "sift",
    )  # to save time, not clicks
    yield from ui.open_tab("Recon3D")
    ui.clicks = 0

    yield from ui.press("bpy.ops.recon3d.choose_photos")
    yield from confirm(ui, photos, "")
    yield 1
    assert settings.photos.rstrip("/") == photos, settings.photos
    ui.shot("1-chosen.png")
    yield from ui.press("bpy.ops.recon3d.reconstruct")
    yield from ui.until(lambda: current_job.session.running, 20, "the job starts")
    yield from ui.until(lambda: current_job.session.view.done > 0, 120, "it works")
    yield 2
    ui.shot("2-running.png")
    yield from ui.until(lambda: not current_job.session.running, 1200, "the result")
    assert current_job.session.view.state == "done", current_job.session.view
    yield from ui.until(lambda: current_job.session.result is not None, 60, "the import")
    yield from ui.idle()
    yield 5
    ui.shot("3-result.png")
    yield from ui.press("bpy.ops.recon3d.export_asset")
    yield from confirm(ui, os.path.dirname(target), os.path.basename(target))
    yield from ui.idle()
    yield 2
    assert os.path.getsize(target) > 10_000
    print(f"{ui.clicks} clicks")
    assert ui.clicks <= MAX_CLICKS


def confirm(ui, folder, filename):
    """The file browser, at a folder, confirmed by Enter."""
    yield 1.5
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "FILE_BROWSER")
    area.spaces.active.params.directory = (folder + "/").encode()
    if filename:
        area.spaces.active.params.filename = filename
    yield 1.5
    ui.shot(f"browser-{'export' if filename else 'photos'}.png")
    region = next(region for region in area.regions if region.type == "WINDOW")
    yield from ui.move(region.x + region.width // 2, region.y + 10, 0.5)
    yield from ui.key("RET")
    ui.clicks += 1
    yield 1
