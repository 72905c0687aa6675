"""From a cloud to an asset by its buttons, each undone in one step.

WORDS: a finished workspace with a mesh, and a folder for what is exported.
"""

import os

import bpy


def scenario(ui, workspace, exports):
    bpy.context.preferences.edit.use_global_undo = True
    settings = bpy.context.scene.recon3d
    for name in ("Cube", "Light", "Camera"):
        bpy.data.objects.remove(bpy.data.objects[name])
    yield from ui.open_tab("Recon3D")
    settings.workspace = workspace
    assert call(ui, bpy.ops.recon3d.import_result) == {"FINISHED"}
    yield 1
    steps = (
        (bpy.ops.recon3d.clean_cloud, {}),
        (bpy.ops.recon3d.add_crop_box, {}),
        (bpy.ops.recon3d.apply_cleaning, {}),
        (bpy.ops.recon3d.ground_from_points, {"points": [0, 0, 0, 1, 0, 0.3, 0, 1, 0]}),
        (bpy.ops.recon3d.up_axis, {"axis": "X"}),
        (bpy.ops.recon3d.origin_under, {"target": "CURSOR"}),
        (bpy.ops.recon3d.decimate, {"faces": 100}),
    )
    for operator, words in steps:
        before = state()
        assert call(ui, operator, **words) == {"FINISHED"}
        yield 0.3
        after = state()
        assert after != before, operator
        call(ui, bpy.ops.ed.undo)
        yield 0.3
        assert state() == before, (operator, before, state())
        call(ui, bpy.ops.ed.redo)
        yield 0.3
        assert state() == after, operator
    call(ui, bpy.ops.recon3d.export_asset, filepath=os.path.join(exports, "asset.glb"), preset="GLB")
    assert os.path.getsize(os.path.join(exports, "asset.glb")) > 1000
    call(ui, bpy.ops.recon3d.clean_cloud)
    yield from pictures(ui)


def state() -> list:
    """The objects and their state."""
    return sorted(
        (
            o.name,
            o.hide_get(),
            [m.name for m in o.modifiers],
            [round(v, 4) for row in o.matrix_basis for v in row],
        )
        for o in bpy.data.objects
    )


def call(ui, operator, **words):
    """In the window, like a button, but without a dialog."""
    window, area, regions = ui.view()
    with bpy.context.temp_override(window=window, screen=window.screen, area=area, region=regions["WINDOW"]):
        return operator("EXEC_DEFAULT", True, **words)


def pictures(ui):
    """The tab with the asset's panels open."""
    from importlib import import_module

    package = next(key for key in bpy.context.preferences.addons.keys() if key.endswith("recon3d"))
    ui_modules = [
        import_module(f"{package}.ui.{name}") for name in ("main", "advanced", "review", "result", "engine")
    ]
    for cls in [cls for module in reversed(ui_modules) for cls in reversed(module.CLASSES)]:
        bpy.utils.unregister_class(cls)
    asset = import_module(f"{package}.ui.asset")
    for cls in asset.CLASSES:  # Blender remembers by name whether a panel is open
        name = f"{cls.bl_idname}_open"
        opened = type(name, (cls,), {"bl_idname": name, "bl_options": set()})
        bpy.utils.unregister_class(cls)
        bpy.utils.register_class(opened)
    yield 1
    ui.shot("asset-panels.png")
