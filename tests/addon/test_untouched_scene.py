"""The artist's data stay unchanged: the whole state of a file before and after an import and a look through photos."""

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d import api  # noqa: E402
from blender_recon3d.scene.viewports import view_in_use  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402

CHANGING = ("session_uid", "users", "is_updated", "tag", "id_type", "recon3d")
# Of the view in use, an import may change how it draws and where it looks from.
LENT = ("shading", "overlay", "clip_start", "clip_end", "region_3d")


def value_of(value):
    if isinstance(value, bpy.types.ID):
        return (type(value).__name__, value.name)
    if hasattr(value, "__len__") and not isinstance(value, str):
        return tuple(map(value_of, value))
    return round(value, 5) if isinstance(value, float) else value


def state_of(thing, depth=3, skip=()):
    """Every property of an RNA struct by its path, with those of the structs in it."""
    found = {}
    for item in thing.bl_rna.properties:
        name = item.identifier
        if name == "rna_type" or name in CHANGING or name in skip:
            continue
        try:
            value = getattr(thing, name)
        except (AttributeError, RuntimeError):
            continue
        if item.type == "COLLECTION":
            continue
        if item.type == "POINTER" and value is not None and not isinstance(value, bpy.types.ID):
            if depth:
                found |= {f"{name}.{key}": kept for key, kept in state_of(value, depth - 1).items()}
        else:
            found[name] = value_of(value)
    return found


def whole_state(names):
    """Of every object, scene, world and 3D view; names: of the objects that existed before."""
    lent = view_in_use()
    layer = bpy.context.view_layer
    found = {"active": value_of(layer.objects.active), "selected": value_of(layer.objects.selected)}
    found["scene"] = state_of(bpy.context.scene, skip=("collection", "objects", "view_layers"))
    for name in names:
        thing = bpy.data.objects[name]
        found[name] = state_of(thing) | {"hidden": thing.hide_get()}
        found[f"{name} data"] = state_of(thing.data)
    for screen in bpy.data.screens:
        for place, area in enumerate(screen.areas):
            for number, space in enumerate(area.spaces):
                skip = LENT if space == lent else ()
                found[f"{screen.name} {place} {number}"] = state_of(space, skip=skip)
    return found


@pytest.fixture
def artist(addon):
    """A factory file in which somebody works: the cube was moved and is active, the resolution was changed."""
    bpy.ops.wm.read_factory_settings()
    scene = bpy.context.scene
    bpy.data.objects["Cube"].location.x = 3
    scene.render.resolution_x, scene.render.resolution_percentage = 1234, 50
    bpy.context.view_layer.update()
    return scene


def changes(before, after):
    return [
        (thing, key, value, after[thing].get(key))
        for thing, kept in before.items()
        for key, value in (kept.items() if isinstance(kept, dict) else ())
        if after[thing].get(key) != value
    ] + [(key, before[key], after[key]) for key in ("active", "selected") if before[key] != after[key]]


def test_nothing_of_the_artists_is_touched(artist, tmp_path):
    root = write_workspace(tmp_path / "w", ring())
    names = [thing.name for thing in bpy.data.objects]
    before = whole_state(names)
    assert before["active"] == ("Object", "Cube") and len(before) > 15 and len(before["scene"]) > 300
    api.import_result(root)
    assert changes(before, whole_state(names)) == []
    view = state_of(view_in_use())
    for photo in ("photo_001.jpg", "photo_003.jpg"):
        api.look_through(photo)
    assert artist.camera["recon3d"]["photo"] == "photo_003.jpg" and artist.render.resolution_x == 60
    api.import_result(root)  # while a photo is looked through
    assert artist.camera["recon3d"]["photo"] == "photo_003.jpg"
    api.exit_photo_view()
    assert changes(before, whole_state(names)) == []
    after = state_of(view_in_use())
    drawn = ("matrix", "window_matrix", "view_camera")
    assert {key for key in view if view[key] != after[key] and not any(d in key for d in drawn)} == set()


def test_only_the_default_cube_is_hidden_reported_and_restored(addon, tmp_path):
    from blender_recon3d.jobs import current_job

    root = write_workspace(tmp_path / "w", ring())
    bpy.ops.wm.read_factory_settings()
    result = api.import_result(root)
    hidden = [thing.name for thing in bpy.data.objects if thing.hide_get()]
    assert hidden == ["Cube"] and "The default cube is hidden." in current_job.session.notes
    assert bpy.context.view_layer.objects.active == result.cloud and result.cloud.select_get()
    bpy.data.objects["Cube"].hide_set(False)
    bpy.data.objects["Cube"].hide_render = False
    bpy.data.objects["Cube"].data.vertices[0].co.x = 2  # somebody uses it
    api.import_result(root)
    assert not bpy.data.objects["Cube"].hide_get()


def test_a_file_saved_while_looking_through_a_photo_restores_the_view(artist, tmp_path):
    api.import_result(write_workspace(tmp_path / "w", ring()))
    api.look_through("photo_002.jpg")
    api.save(tmp_path / "a.blend")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    api.exit_photo_view()
    scene = bpy.context.scene
    assert scene.camera.name == "Camera"
    assert (scene.render.resolution_x, scene.render.resolution_percentage) == (1234, 50)


def test_photos_are_stepped_through_in_both_directions(artist, tmp_path):
    api.import_result(write_workspace(tmp_path / "w", ring()))
    scene = bpy.context.scene
    names = []
    for by in (1, 1, -1, -1, -1):
        assert bpy.ops.recon3d.step_photo(by=by) == {"FINISHED"}
        names.append(scene.camera["recon3d"]["photo"])
    assert names == [f"photo_00{number}.jpg" for number in (0, 1, 0, 4, 3)]
    assert bpy.ops.recon3d.exit_photo_view() == {"FINISHED"} and not bpy.ops.recon3d.exit_photo_view.poll()
