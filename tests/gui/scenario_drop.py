"""Photos dropped onto the 3D view with the mouse, as a file manager does: chosen, and the tab is opened.

WORDS: a folder of photos, and a video.
"""

import subprocess
import sys
from pathlib import Path

import bpy

DROP = Path(__file__).with_name("drop_files.py")


def scenario(ui, photos, video):
    settings = bpy.context.scene.recon3d
    files = sorted(Path(photos).iterdir())
    _, area, _ = ui.view()
    area.spaces.active.show_region_ui = True
    yield 1
    objects = len(bpy.data.objects)
    yield from dropped(ui, files[:3])
    yield from ui.until(lambda: settings.photos, 30, "the photos are chosen")
    yield 1
    ui.shot("1-photos.png")
    assert Path(settings.photos) == Path(photos), settings.photos
    assert sorted(item.path for item in settings.chosen) == [file.name for file in files[:3]]
    assert len(bpy.data.objects) == objects, "Blender's own image objects are not added as well"
    assert ui.view()[2]["UI"].active_panel_category == "Recon3D"
    yield from dropped(ui, files[:1])
    yield from ui.until(lambda: not len(settings.chosen), 30, "one photo stands for its folder")
    assert Path(settings.photos) == Path(photos)
    yield from dropped(ui, [video])
    yield from ui.until(lambda: settings.photos == video, 30, "the video is chosen")
    yield 1
    ui.shot("2-video.png")


def dropped(ui, files):
    """Let go of files over the view, and choose from Blender's menu: Add Empty Image, or Reconstruct These Photos."""
    window, _area, regions = ui.view()
    region = regions["WINDOW"]
    x = region.x + region.width // 3
    y = window.height - (region.y + region.height // 3)  # X counts from the top
    ui.mouse = (x, region.y + region.height // 3)
    process = subprocess.Popen([sys.executable, str(DROP), str(x), str(y), *map(str, files)])
    yield from ui.until(lambda: process.poll() is not None, 60, "the window answers")
    assert process.returncode == 0, process.returncode
    yield 1
    ui.shot("menu.png")
    yield from ui.key("R")
