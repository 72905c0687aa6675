"""Long operations keep the window responsive: Esc reverts them completely, they finish, and can be undone.

WORDS: a finished workspace with a large cloud and a large mesh, and a folder for exports.
"""

import os
import time

import bpy

JOINING = 120  # seconds for the other Blender, which other programs may slow down
WINDOW = 0.5  # seconds of our own code in a row, of the thread's time


def scenario(ui, workspace, out):
    bpy.context.preferences.edit.use_global_undo = True
    bpy.context.preferences.view.filebrowser_display_type = "SCREEN"
    settings = bpy.context.scene.recon3d
    yield from ui.open_tab("Recon3D")
    settings.workspace = workspace
    waits = Waits()
    before = everything()
    yield from pressed(ui, bpy.ops.recon3d.import_result)
    assert running(), "a large result is imported in steps"
    yield from ui.key("ESC")
    yield 0.5
    assert not running() and everything() == before, "an import that was cancelled leaves nothing"
    yield from pressed(ui, bpy.ops.recon3d.import_result)
    ui.shot("1-importing.png")
    yield from ui.until(lambda: not running(), JOINING, "the import")
    assert "Recon3D Mesh" in bpy.data.objects
    imported = everything()

    yield from pressed(
        ui, bpy.ops.recon3d.import_result
    )  # again: an update, which leaves nothing behind either
    yield from ui.key("ESC")
    yield 0.5
    assert not running() and everything() == imported
    name = bpy.data.objects["Recon3D Cloud"].data.name
    for operator in (bpy.ops.recon3d.compute_density, bpy.ops.recon3d.clean_cloud):
        yield from pressed(ui, operator)
        assert running(), operator
        yield from ui.key("ESC")
        yield 0.5
        assert not running() and everything() == imported, operator
    assert "island" not in bpy.data.meshes[name].attributes
    yield from pressed(ui, bpy.ops.recon3d.clean_cloud)
    yield from ui.until(lambda: not running(), JOINING, "the density")
    assert "island" in bpy.data.meshes[name].attributes and not bpy.data.objects["Recon3D Cloud"].hide_get()
    with_window(ui, bpy.ops.ed.undo)
    yield 1

    before = everything()
    done = held()
    for operator, words in (
        (bpy.ops.recon3d.decimate, {"faces": 2000}),
        (bpy.ops.recon3d.make_lods, {"levels": 3}),
        (bpy.ops.recon3d.make_quads, {"faces": 20_000}),
    ):
        yield from asked(ui, operator, **words)
        assert running(), f"{operator}: the work is done in the background"
        ui.shot("2-waiting.png")
        yield from ui.key("ESC")
        yield 0.5
        assert not running() and everything() == before, operator
    glb = os.path.join(out, "asset.glb")
    ui.invoke(bpy.ops.recon3d.export_asset, filepath=os.path.join(out, "asset.fbx"), preset="GAME")
    yield 1.5
    yield from confirmed(ui)
    assert running(), "the export is done in the background"
    yield from ui.key("ESC")
    yield 0.5
    assert not running() and os.listdir(out) == [], os.listdir(out)
    ui.invoke(bpy.ops.recon3d.export_cameras, directory=out, kind="FBX")
    yield 1.5
    yield from confirmed(ui)
    assert running(), "the cameras are written in the background"
    yield from ui.key("ESC")
    yield 0.5
    assert not running() and os.listdir(out) == [], os.listdir(out)
    done()

    ui.invoke(bpy.ops.recon3d.export_asset, filepath=glb)
    yield 1.5
    yield from confirmed(ui)
    yield from ui.until(lambda: not running(), JOINING, "the export")
    assert os.listdir(out) == ["asset.glb"] and os.path.getsize(glb) > 100_000
    cameras = os.path.join(out, "cameras", "")
    os.mkdir(cameras)
    ui.invoke(bpy.ops.recon3d.export_cameras, directory=cameras, kind="FBX")
    yield 1.5
    yield from confirmed(ui)
    yield from ui.until(lambda: not running(), JOINING, "the cameras")
    assert os.listdir(cameras) == ["cameras.fbx"]
    assert everything() == before

    for operator, words, made in (
        (bpy.ops.recon3d.decimate, {"faces": 2000}, "Recon3D Mesh 2k"),
        (bpy.ops.recon3d.make_lods, {"levels": 3}, "Recon3D Mesh 2k LOD2"),
        (bpy.ops.recon3d.make_quads, {"faces": 200}, "Recon3D Mesh Quads 200"),
    ):
        yield from asked(ui, operator, **words)
        yield from ui.until(lambda: not running(), JOINING, made)
        assert made in bpy.data.objects, [thing.name for thing in bpy.data.objects]
    quads = bpy.data.objects["Recon3D Mesh Quads 200"]
    decimated = bpy.data.objects["Recon3D Mesh 2k"].data
    assert 1500 < len(decimated.polygons) <= 2100 and len(decimated.uv_layers) == 1
    assert decimated.materials[0] == bpy.data.objects["Recon3D Mesh"].data.materials[0]
    assert sum(len(face.vertices) == 4 for face in quads.data.polygons) > 0.9 * len(quads.data.polygons)
    assert not len(quads.data.uv_layers) and bpy.context.view_layer.objects.active == quads
    ui.shot("3-quads.png")

    yield from asked(ui, bpy.ops.recon3d.bake_texture, size="256")
    assert running()
    yield from ui.until(lambda: not running(), JOINING, "the texture")
    image = next(n.image for n in quads.data.materials[0].node_tree.nodes if n.type == "TEX_IMAGE")
    assert tuple(image.size) == (256, 256) and len(set(list(image.pixels)[::4])) > 1
    assert len(quads.data.uv_layers) == 1
    yield 3
    ui.shot("4-baked.png")

    yield from asked(ui, bpy.ops.recon3d.bake_normals, size="256")
    yield from ui.until(lambda: not running(), JOINING, "the normals")
    kinds = [n.type for n in bpy.context.object.data.materials[0].node_tree.nodes]
    assert "NORMAL_MAP" in kinds
    for _ in range(5):
        with_window(ui, bpy.ops.ed.undo)
        yield 0.5
    assert everything() == before
    print(f"the longest turn: {waits.longest:.2f} s")
    assert waits.longest < WINDOW, waits.longest


class Waits:
    """Seconds of the thread's time that the longest turn of an operator has taken."""

    def __init__(self):
        import importlib

        name = next(n for n in bpy.context.preferences.addons.keys() if n.endswith("recon3d"))
        self.longest = 0.0
        stepping = importlib.import_module(f"{name}.scene.stepwise").Stepping
        inner = stepping.advance

        def advance(work, seconds):
            start = time.thread_time()
            try:
                return inner(work, seconds)
            finally:
                self.longest = max(self.longest, time.thread_time() - start)

        stepping.advance = advance


def held():
    """Stop each other Blender as it starts, until the returned function is called: some would be quick to end."""
    import importlib
    import signal

    name = next(n for n in bpy.context.preferences.addons.keys() if n.endswith("recon3d"))
    work = importlib.import_module(f"{name}.scene.meshes.background_work").BackgroundWork
    begin = work.__init__

    def begin_stopped(self, *words, **named):
        begin(self, *words, **named)
        os.killpg(self._process.pid, signal.SIGSTOP)

    work.__init__ = begin_stopped

    def let_go():
        work.__init__ = begin

    return let_go


def everything():
    """The names of all data, and the transforms and visibility of their objects."""
    kinds = ("objects", "meshes", "cameras", "materials", "images", "collections", "node_groups", "scenes")
    found = {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in kinds}
    found["state"] = sorted(
        (o.name, o.hide_get(), tuple(m.name for m in o.modifiers)) for o in bpy.data.objects
    )
    return found


def pressed(ui, operator, **words):
    """Press the operator's button, with the mouse over the view."""
    region = ui.view()[2]["WINDOW"]
    yield from ui.move(region.x + region.width // 3, region.y + region.height // 2, 0.3)
    ui.invoke(operator, **words)
    yield 0.05


def asked(ui, operator, **words):
    """Press the operator's button, and Enter in its dialog."""
    yield from pressed(ui, operator, **words)
    yield 1
    yield from ui.key("RET")
    yield 0.3


def confirmed(ui):
    """Enter in the file browser, which fills the window."""
    area = next(a for a in bpy.context.window_manager.windows[0].screen.areas if a.type == "FILE_BROWSER")
    region = next(region for region in area.regions if region.type == "WINDOW")
    yield from ui.move(region.x + region.width // 2, region.y + 10, 0.5)
    yield from ui.key("RET")
    yield 0.5


def running():
    return len(bpy.context.window_manager.windows[0].modal_operators) > 0


def with_window(ui, operator, **words):
    window, area, regions = ui.view()
    with bpy.context.temp_override(window=window, screen=window.screen, area=area, region=regions["WINDOW"]):
        return operator("EXEC_DEFAULT", True, **words)
