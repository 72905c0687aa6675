"""The demo capture by clicking: look at the photos, reconstruct, cancel, resume, watch, review, save.

WORDS: the folder of photos, a folder for the job, and the .blend to save.
"""

import importlib
import time

import bpy

LONGEST_TICK = (
    0.05  # seconds of our code that a frame may take while a job is watched; of the thread's own time,
)
# since a running engine makes the wall clock unreliable
addon = importlib.import_module(
    next(n for n in bpy.context.preferences.addons.keys() if n.endswith("recon3d"))
)
timer, photo_inspection, current_job = (
    importlib.import_module(f"{addon.__name__}.jobs.{name}")
    for name in ("timer", "photo_inspection", "current_job")
)


def scenario(ui, photos, workspace, blend):
    ticks, walls = timed_ticks()
    settings = bpy.context.scene.recon3d
    for name in ("Cube", "Light", "Camera"):
        bpy.data.objects.remove(bpy.data.objects[name])
    yield from ui.open_tab("Recon3D")
    settings.workspace, settings.quality = workspace, "preview"
    settings.advanced.features = "sift"  # to save time
    assert bpy.ops.recon3d.choose_photos(directory=photos) == {"FINISHED"}
    looked = lambda: (found := photo_inspection.current()) is not None and (found.found or found.error)  # noqa: E731
    yield from ui.until(looked, 90, "the photos are looked at")
    assert photo_inspection.current().found.used == 28
    ui.shot("1-photos.png")

    yield from ui.press("bpy.ops.recon3d.reconstruct")
    yield from ui.until(lambda: current_job.session.running, 20, "the job starts")
    yield from ui.until(lambda: current_job.session.view.stage == "features", 120, "features")
    yield from ui.until(lambda: current_job.session.view.done > 0, 120, "the first features")
    ui.shot("2-running.png")
    yield from ui.press("bpy.ops.recon3d.cancel")
    yield from ui.until(lambda: not current_job.session.running, 40, "the job is cancelled")
    yield 0.5
    ui.shot("3-cancelled.png")
    assert current_job.session.view.state == "cancelled" and current_job.session.state.unfinished

    yield from ui.press("bpy.ops.recon3d.reconstruct")  # reads "Resume" now
    yield from ui.until(lambda: current_job.session.running, 20, "the job goes on")
    live = lambda: "Recon3D Live" in bpy.data.collections  # noqa: E731
    yield from ui.until(lambda: live() or not current_job.session.running, 2400, "cameras appear")
    cameras = lambda: len(bpy.data.objects["Recon3D Live Cameras"].data.vertices) // 5  # noqa: E731
    yield from ui.until(lambda: not live() or cameras() > 14, 120, "half of the cameras")
    assert live(), current_job.session.view
    yield 1
    ui.shot("4-live.png")
    yield from ui.until(lambda: not current_job.session.running, 1200, "the result")
    assert current_job.session.view.state == "done", current_job.session.view
    yield from ui.until(lambda: current_job.session.result is not None, 60, "the import")
    yield from ui.idle()
    slowest = sorted(ticks)[-2]  # the last one has imported the result
    found = (slowest, sorted(walls)[-2], max(ticks), max(walls))
    print(
        "slowest of {} ticks {:.0f} ms ({:.0f} by the wall), with the import {:.0f} ms ({:.0f})".format(
            len(ticks), *(1000 * seconds for seconds in found)
        )
    )
    assert slowest < LONGEST_TICK
    yield from drawn(ui)
    ui.shot("5-result.png")

    assert len(settings.review) == 28 and "Recon3D Live" not in bpy.data.collections
    settings.review_index = 4
    yield from drawn(ui)
    ui.shot("6-review.png")
    assert bpy.context.scene.camera.name == settings.review[4].name
    bpy.ops.wm.save_as_mainfile(filepath=blend)
    bpy.ops.wm.open_mainfile(filepath=blend)
    yield 1
    settings = bpy.context.scene.recon3d
    assert len(settings.review) == 28 and len(bpy.data.cameras) == 28
    settings.review_index = 9
    assert bpy.context.scene.camera.name == settings.review[9].name


def timed_ticks():
    """How long each call of the add-on from Blender's event loop takes from now on: thread time and wall time."""
    times, walls = [0.0], [0.0]
    watch = timer.watch

    def timed(name, watcher):
        def call():
            start, wall = time.thread_time(), time.perf_counter()
            answer = watcher()
            times.append(time.thread_time() - start)
            walls.append(time.perf_counter() - wall)
            return answer

        watch(name, call)

    timer.watch = timed
    return times, walls


def drawn(ui, seconds=20):
    """Time for the materials' shaders: software drawing compiles them for many frames."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield 1
        ui.redraw()
