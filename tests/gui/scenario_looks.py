"""The look of the panels: at both scales, in the light theme, in German, in a narrow sidebar, in every state.

WORDS: a finished workspace with a mesh and problems in its review, a folder of photos, and a folder for a job.
"""

import importlib
import time

import bpy

name = next(n for n in bpy.context.preferences.addons.keys() if n.endswith("recon3d"))
photo_inspection = importlib.import_module(f"{name}.jobs.photo_inspection")


def scenario(ui, workspace, photos, job):
    preferences, settings = bpy.context.preferences, bpy.context.scene.recon3d
    yield from ui.open_tab("Recon3D")
    ui.shot("1-empty.png")
    settings.workspace, settings.photos = job, photos
    looked = lambda: (found := photo_inspection.current()) is not None and (found.found or found.error)  # noqa: E731
    yield from ui.until(looked, 400, "the photos are looked at")
    yield 0.5
    ui.shot("2-photos.png")
    settings.photos, settings.workspace = "", workspace
    window, area, regions = ui.view()
    with bpy.context.temp_override(window=window, screen=window.screen, area=area, region=regions["WINDOW"]):
        assert bpy.ops.recon3d.import_result("EXEC_DEFAULT", True) == {"FINISHED"}
    yield from drawn(ui, 15)
    ui.shot("3-imported.png")
    bpy.context.scene.recon3d.review_index = 2
    yield from drawn(ui, 8)
    ui.shot("4-through-a-photo.png")
    bpy.ops.recon3d.exit_photo_view()
    bpy.context.scene.recon3d.review_index = len(settings.review) - 1
    yield 2
    ui.shot("5-problem.png")
    preferences.view.ui_scale = 1.5
    yield 2
    ui.shot("6-scale-1.5.png")
    preferences.view.ui_scale = 1.0
    try:  # some builds have no languages
        preferences.view.language = "de_DE"
        yield 2
        ui.shot("7-german.png")
        preferences.view.language = "en_US"
    except TypeError:
        print("this Blender has no German")
    light = [path for path in theme_files() if "light" in path.lower()]
    if light:
        bpy.ops.script.execute_preset(filepath=light[0], menu_idname="USERPREF_MT_interface_theme_presets")
    yield 2
    ui.shot("8-light.png")
    settings.workspace, settings.photos = job, photos
    yield from ui.until(lambda: photo_inspection.current() is not None, 20, "the photos are looked at again")
    yield from ui.until(looked, 400, "the photos are looked at again")
    yield 0.5
    ui.shot("8-light-photos.png")
    bpy.ops.preferences.reset_default_theme()
    yield from narrow(ui, 220)
    ui.shot("9-narrow.png")


def narrow(ui, width):
    """Drag the sidebar's edge, which lies a few pixels elsewhere in each version, until it is about `width` wide."""
    for beside in (0, -3, 3, -6, 6, 8, 10):
        region = ui.view()[2]["UI"]
        x, y = region.x + beside, region.y + (20 if beside < 6 else region.height // 2)
        yield from ui.drag([(x, y), (x + 20, y), (region.x + region.width - width, y)])
        yield 1
        if abs(ui.view()[2]["UI"].width - width) < 20:
            return
    raise AssertionError(f"the sidebar is {ui.view()[2]['UI'].width} pixels wide")


def theme_files():
    from pathlib import Path

    return [
        str(path)
        for folder in bpy.utils.preset_paths("interface_theme")
        for path in Path(folder).glob("*.xml")
    ]


def drawn(ui, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield 1
        ui.redraw()
