"""Ground, scale, lasso and crop box with the mouse, in Object Mode: header text, Esc, undo.

WORDS: a finished workspace with a mesh.
"""

import bpy
from mathutils import Vector


def scenario(ui, workspace):
    bpy.context.preferences.edit.use_global_undo = True
    settings = bpy.context.scene.recon3d
    yield from ui.open_tab("Recon3D")
    settings.workspace = workspace
    assert with_window(ui, bpy.ops.recon3d.import_result) == {"FINISHED"}
    assert bpy.context.scene.objects["Cube"].hide_get()
    empty = bpy.data.objects["Recon3D"]
    mesh = bpy.data.objects["Recon3D Mesh"]
    yield from drawn(ui)

    # Three clicks on the mesh, the first time cancelled by Esc.
    before = empty.matrix_basis.copy()
    numbers = chosen(ui, mesh, 3)
    places = [mesh.matrix_world @ Vector(mesh.data.vertices[n].co) for n in numbers]
    assert ui.invoke(bpy.ops.recon3d.ground_from_points) == {"RUNNING_MODAL"}
    yield from ui.click(*on_screen(ui, places[0]))
    yield from ui.click(*on_screen(ui, places[1]))
    yield from ui.move(*on_screen(ui, places[2]), 0.5)
    ui.shot("1-ground.png")
    yield from ui.key("ESC")
    assert empty.matrix_basis == before and not bpy.context.window_manager.windows[0].modal_operators
    assert ui.invoke(bpy.ops.recon3d.ground_from_points) == {"RUNNING_MODAL"}
    for place in places:
        yield from ui.click(*on_screen(ui, place))
    yield 0.5
    assert empty.matrix_basis != before
    placed = [mesh.matrix_world @ Vector(mesh.data.vertices[n].co) for n in numbers]
    assert max(abs(place.z) for place in placed) < 0.1 * (placed[0] - placed[1]).length, placed
    with_window(ui, bpy.ops.ed.undo)
    yield 0.5
    empty, mesh = bpy.data.objects["Recon3D"], bpy.data.objects["Recon3D Mesh"]
    assert (
        max(
            abs(a - b)
            for r, q in zip(empty.matrix_basis, before, strict=False)
            for a, b in zip(r, q, strict=False)
        )
        < 1e-5
    )

    # Two clicks and a number.
    assert ui.invoke(bpy.ops.recon3d.scale_to) == {"RUNNING_MODAL"}
    pair = chosen(ui, mesh, 2)
    for number in pair:
        yield from ui.click(*on_screen(ui, mesh.matrix_world @ Vector(mesh.data.vertices[number].co)))
    yield from ui.type("0.42")
    yield 0.3
    ui.shot("2-scale.png")
    yield from ui.key("RET")
    yield 0.5
    a, b = [mesh.matrix_world @ Vector(mesh.data.vertices[n].co) for n in pair]
    assert abs((a - b).length - 0.42) < 0.04, (a - b).length

    # A lasso around a part of the mesh.
    with_window(ui, bpy.ops.view3d.view_selected)
    yield 1.5
    faces, points = len(mesh.data.polygons), len(bpy.data.objects["Recon3D Cloud"].data.vertices)
    assert ui.invoke(bpy.ops.recon3d.delete_lasso) == {"RUNNING_MODAL"}
    x, y = on_screen(ui, mesh.matrix_world @ Vector(mesh.data.vertices[chosen(ui, mesh, 1)[0]].co))
    ring = [(x + dx, y + dy) for dx, dy in ((-40, -40), (40, -40), (40, 40), (-40, 40), (-40, -30))]
    yield from ui.drag(ring)
    yield 0.3
    ui.shot("3-lasso.png")
    yield from ui.key("RET")
    yield 0.5
    assert 0 < len(mesh.data.polygons) < faces
    assert 0 < len(bpy.data.objects["Recon3D Cloud"].data.vertices) < points  # though it is hidden

    # The hole is filled by a click at its rim.
    mesh = bpy.data.objects["Recon3D Mesh"]
    holed, opened = len(mesh.data.polygons), count_open(mesh)
    rim = next(edge for edge, count in uses(mesh).items() if count == 1 and is_near(ui, mesh, edge, x, y))
    assert ui.invoke(bpy.ops.recon3d.fill_hole) == {"RUNNING_MODAL"}
    yield from ui.move(*on_screen(ui, mesh.matrix_world @ mesh.data.vertices[rim[0]].co), 0.5)
    ui.shot("3a-hole.png")
    yield from ui.click(*on_screen(ui, mesh.matrix_world @ mesh.data.vertices[rim[0]].co))
    yield 0.5
    assert (
        len(mesh.data.polygons) > holed and count_open(mesh) < opened
    )  # the lasso has made one in the back too
    ui.shot("3b-filled.png")

    # A box over a part of the mesh.
    faces = len(mesh.data.polygons)
    assert ui.invoke(bpy.ops.recon3d.delete_lasso, shape="BOX") == {"RUNNING_MODAL"}
    yield from ui.drag([(x - 30, y - 30), (x, y), (x + 30, y + 30)])
    yield 0.3
    ui.shot("3c-box.png")
    yield from ui.key("RET")
    yield 0.5
    assert 0 < len(mesh.data.polygons) < faces

    # A face of the crop box by its handle.
    assert with_window(ui, bpy.ops.recon3d.add_crop_box) == {"FINISHED"}
    box = bpy.data.objects["Recon3D Crop Box"]
    assert bpy.context.view_layer.objects.active == box
    yield 1.5
    size = box.scale.copy()
    x, y = on_screen(ui, box.matrix_world @ Vector((0, 0, 1)))
    ui.shot("4-crop-handles.png")
    yield from ui.move(x, y + 12, 0.8)
    yield from ui.drag([(x, y + 12), (x, y - 20), (x, y - 60)], release=False)
    yield 0.3
    ui.shot("5-crop-moves.png")
    yield from ui.release()
    yield 0.5
    assert box.scale.z < size.z and abs(box.scale.x - size.x) < 1e-6, (tuple(box.scale), tuple(size))


def chosen(ui, mesh, count):
    """Vertices apart from each other on the side that faces the view."""
    eye = ui.view()[1].spaces.active.region_3d.view_matrix.inverted().translation
    order = sorted(
        range(len(mesh.data.vertices)),
        key=lambda n: (mesh.matrix_world @ mesh.data.vertices[n].co - eye).length,
    )
    near = sorted(order[: len(order) // 4], key=lambda n: mesh.data.vertices[n].co.x)
    return [near[len(near) // 10], near[-len(near) // 10], near[len(near) // 2]][:count]


def uses(mesh):
    """How many faces each edge has, by its vertices."""
    counts = {}
    for polygon in mesh.data.polygons:
        for key in polygon.edge_keys:
            counts[key] = counts.get(key, 0) + 1
    return counts


def count_open(mesh):
    return list(uses(mesh).values()).count(1)


def is_near(ui, mesh, edge, x, y):
    """Whether an edge is drawn near a pixel of the window, as the lasso's hole is."""
    here = on_screen(ui, mesh.matrix_world @ mesh.data.vertices[edge[0]].co)
    return abs(here[0] - x) < 80 and abs(here[1] - y) < 80


def on_screen(ui, place):
    """The window's pixel of a point in the world."""
    from bpy_extras.view3d_utils import location_3d_to_region_2d

    _, area, regions = ui.view()
    at = location_3d_to_region_2d(regions["WINDOW"], area.spaces.active.region_3d, place)
    return regions["WINDOW"].x + round(at.x), regions["WINDOW"].y + round(at.y)


def with_window(ui, operator, **words):
    window, area, regions = ui.view()
    with bpy.context.temp_override(window=window, screen=window.screen, area=area, region=regions["WINDOW"]):
        return operator("EXEC_DEFAULT", True, **words)


def drawn(ui, seconds=20):
    """Time for the materials' shaders."""
    import time

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield 1
        ui.redraw()
