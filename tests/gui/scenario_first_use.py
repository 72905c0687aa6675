"""First use: the tab, a job that is started and cancelled, a finished workspace imported and looked at.

WORDS: the folder of photos, a finished workspace, and a folder for the job.
"""

import time

import bpy


def scenario(ui, photos, finished, workspace):
    settings = bpy.context.scene.recon3d
    yield from ui.open_tab("Recon3D")
    ui.shot("1-panel-empty.png")
    assert not bpy.ops.recon3d.cancel.poll()

    settings.photos = photos
    settings.workspace = workspace
    yield 0.3
    ui.shot("2-panel-ready.png")
    assert bpy.ops.recon3d.reconstruct.poll()

    # Start, watch, cancel.
    assert ui.invoke(bpy.ops.recon3d.reconstruct) == {"FINISHED"}
    began = time.monotonic()
    while bpy.ops.recon3d.reconstruct.poll() is False and time.monotonic() - began < 8:
        yield 0.25
    ui.shot("3-panel-running.png")
    if bpy.ops.recon3d.cancel.poll():
        ui.invoke(bpy.ops.recon3d.cancel)
    while not bpy.ops.recon3d.reconstruct.poll() and time.monotonic() - began < 40:
        yield 0.25
    assert bpy.ops.recon3d.reconstruct.poll(), "the job did not end after Cancel"
    yield 0.3
    ui.shot("4-panel-cancelled.png")

    # Import a finished one, from Edit mode.
    bpy.ops.object.mode_set(mode="EDIT")
    settings.workspace = finished
    ui.invoke(bpy.ops.recon3d.import_result)
    yield from ui.idle()
    bpy.ops.object.mode_set(mode="OBJECT")
    for name in ("Cube", "Light", "Camera"):
        bpy.data.objects[name].hide_set(True)
    cloud = next(o for o in bpy.data.objects if o.get("recon3d", {}).get("kind") == "cloud")
    assert len(cloud.data.vertices) > 0 and len(bpy.data.collections["Recon3D Cameras"].objects) > 0
    window, area, regions = ui.view()
    space = area.spaces.active
    assert space.shading.type == "MATERIAL"
    yield from drawn(ui)
    ui.shot("5-imported.png")

    # Look through a photo: the cloud lies on it.
    space.region_3d.view_perspective = "CAMERA"
    with bpy.context.temp_override(window=window, area=area, region=regions["WINDOW"]):
        bpy.ops.view3d.view_center_camera()
    space.region_3d.view_camera_zoom = 10
    yield from drawn(ui)
    ui.shot("6-through-photo.png")
    cloud.hide_set(True)
    yield 1
    ui.shot("7-photo-alone.png")


def drawn(ui, seconds=30):
    """Time for the materials' shaders: software drawing compiles them for many frames."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield 1
        ui.redraw()
