"""Quads and a baked texture are made by another Blender: this one stays awake, Esc cancels, and undo takes back.

WORDS: a finished workspace with a mesh.
"""

import bpy

JOINING = 60  # seconds for the other Blender, which another program may slow down


def scenario(ui, workspace):
    bpy.context.preferences.edit.use_global_undo = True
    settings = bpy.context.scene.recon3d
    yield from ui.open_tab("Recon3D")
    settings.workspace = workspace
    assert with_window(ui, bpy.ops.recon3d.import_result) == {"FINISHED"}
    yield 1
    before = {thing.name for thing in bpy.data.objects}

    yield from asked(ui, bpy.ops.recon3d.make_quads, faces=200)
    assert running(), "the work is done in the background"
    yield 0.5
    ui.shot("1-quads.png")
    yield from ui.key("ESC")
    yield 0.5
    assert not running() and {thing.name for thing in bpy.data.objects} == before

    yield from asked(ui, bpy.ops.recon3d.make_quads, faces=200)
    yield from ui.until(lambda: not running(), JOINING, "the quads")
    made = [thing for thing in bpy.data.objects if thing.name not in before]
    assert len(made) == 1 and made[0] == bpy.context.view_layer.objects.active, made
    assert sum(len(face.vertices) == 4 for face in made[0].data.polygons) > 0.9 * len(made[0].data.polygons)
    assert not len(made[0].data.uv_layers)
    ui.shot("2-quads.png")

    yield from asked(ui, bpy.ops.recon3d.bake_texture, size="256")
    assert running()
    yield from ui.until(lambda: not running(), JOINING, "the texture")
    image = next(n.image for n in made[0].data.materials[0].node_tree.nodes if n.type == "TEX_IMAGE")
    assert tuple(image.size) == (256, 256) and len(set(list(image.pixels)[::4])) > 1
    assert len(made[0].data.uv_layers) == 1
    yield 3
    ui.shot("3-baked.png")

    yield from asked(ui, bpy.ops.recon3d.bake_normals, size="256")
    yield from ui.until(lambda: not running(), JOINING, "the normals")
    kinds = [n.type for n in bpy.context.object.data.materials[0].node_tree.nodes]
    assert "NORMAL_MAP" in kinds
    name = made[0].name
    for _ in range(3):
        with_window(ui, bpy.ops.ed.undo)
        yield 0.5
    assert name not in bpy.data.objects and {thing.name for thing in bpy.data.objects} == before


def asked(ui, operator, **words):
    """Press the operator's button, and Enter in its dialog."""
    region = ui.view()[2]["WINDOW"]
    yield from ui.move(region.x + region.width // 3, region.y + region.height // 2, 0.3)
    ui.invoke(operator, **words)
    yield 1
    yield from ui.key("RET")
    yield 0.5


def running():
    return len(bpy.context.window_manager.windows[0].modal_operators) > 0


def with_window(ui, operator, **words):
    window, area, regions = ui.view()
    with bpy.context.temp_override(window=window, screen=window.screen, area=area, region=regions["WINDOW"]):
        return operator("EXEC_DEFAULT", True, **words)
