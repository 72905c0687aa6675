"""Photos from the file browser and by drag and drop, menus, and what the panel forgets."""

from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d import api  # noqa: E402
from blender_recon3d.jobs import current_job, recent_runs, session  # noqa: E402
from blender_recon3d.properties import workspace_path  # noqa: E402
from blender_recon3d.scene.chosen_photos import names_chosen, photo_sources  # noqa: E402
from tests.support.made_meshes import dome, write_mesh_files  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402


@pytest.mark.parametrize("operator", ["choose_photos", "drop_photos"])
@pytest.mark.parametrize(
    ("names", "photos", "chosen"),
    [
        (["IMG_1.jpg", "IMG_2.jpg"], "", []),  # too few: all in their folder
        (["IMG_1.jpg", "IMG_2.jpg", "IMG_3.jpg"], "", ["IMG_1.jpg", "IMG_2.jpg", "IMG_3.jpg"]),
        (["walk.MP4"], "walk.MP4", []),
        (["walk.MP4", "cover.jpg"], "walk.MP4", []),
        (["one.mp4", "two.mp4"], "", ["one.mp4", "two.mp4"]),
        ([], "", []),
    ],
)
def test_a_choice_of_files(addon, operator, names, photos, chosen, tmp_path):
    files = [{"name": name} for name in names]
    assert getattr(bpy.ops.recon3d, operator)(directory=f"{tmp_path}/", files=files) == {"FINISHED"}
    settings = bpy.context.scene.recon3d
    assert settings.photos.rstrip("/") == str(tmp_path / photos).rstrip("/")
    wanted = tuple(tmp_path / name for name in chosen) or (Path(settings.photos),)
    assert photo_sources(settings) == wanted


def test_the_folder_shown_in_the_file_browser_is_not_chosen_beside_its_photos(addon, tmp_path):
    """Blender's file browser passes it as a folder when only files are selected, as by A."""
    files = [{"name": f"IMG_{number}.jpg"} for number in range(4)]
    for folder in (f"{tmp_path}/", str(tmp_path), ".", ""):
        bpy.ops.recon3d.choose_photos(directory=f"{tmp_path}/", files=files, dirs=[{"name": folder}])
        names = [path.name for path in photo_sources(bpy.context.scene.recon3d)]
        assert names == [file["name"] for file in files], folder


def test_more_folders_are_added_and_the_results_lie_beside_the_first(addon, tmp_path):
    settings = bpy.context.scene.recon3d
    for path in ("day 1/front", "day 1/back", "day 2"):
        (tmp_path / path).mkdir(parents=True)
    dirs = [{"name": "front"}, {"name": "back"}, {"name": ".."}]
    bpy.ops.recon3d.choose_photos(directory=f"{tmp_path}/day 1/", dirs=dirs)
    assert photo_sources(settings) == (tmp_path / "day 1/front", tmp_path / "day 1/back")
    bpy.ops.recon3d.choose_photos(directory=f"{tmp_path}/day 2/", add=True)
    assert photo_sources(settings) == tuple(tmp_path / p for p in ("day 1/front", "day 1/back", "day 2"))
    assert workspace_path(settings) == tmp_path / "day 1" / "front_recon3d"
    bpy.ops.recon3d.clear_photos()
    assert photo_sources(settings) == () and workspace_path(settings) is None
    settings.photos = str(tmp_path)  # a typed folder is all of it
    assert photo_sources(settings) == (tmp_path,)


def test_a_file_from_others_reaches_nothing_outside_of_its_folder(addon, tmp_path):
    settings = bpy.context.scene.recon3d
    settings.photos = settings.chosen_in = str(tmp_path)
    for path in ("../x", "/etc", "C:\\x", "\\\\server\\x", "a/../../x", "a.jpg"):
        settings.chosen.add().path = path
    assert photo_sources(settings) == (tmp_path / "a.jpg",)


def test_a_run_that_is_found_has_the_photos_that_it_was_started_with(addon, tmp_path, monkeypatch):
    monkeypatch.setattr(recent_runs, "_path", lambda: tmp_path / "running.json")
    settings = bpy.context.scene.recon3d
    names = [f"{number}.jpg" for number in range(4)]
    bpy.ops.recon3d.choose_photos(directory=f"{tmp_path}/", files=[{"name": name} for name in names])
    recent_runs.remember(tmp_path / "w", settings.photos, names_chosen(settings))
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "job.json").write_text('{"until": "dense"}')
    (tmp_path / "w" / "state.json").write_text("{}")
    settings.photos = ""
    session.find_running(bpy.context.scene)
    assert photo_sources(settings) == tuple(tmp_path / name for name in names)


def test_the_file_handler_takes_photos_and_videos(addon):
    endings = bpy.types.RECON3D_FH_photos.bl_file_extensions.split(";")
    assert {".jpg", ".heic", ".mp4"} <= set(endings) and all(ending.startswith(".") for ending in endings)


def test_every_entry_of_the_menus_is_an_operator_that_says_what_it_does(addon):
    from blender_recon3d.ui import menus

    names = [entry[0] for entry in menus._OBJECT if entry]
    assert len(names) == len(set(names)) > 15
    for name in names:
        rna = getattr(bpy.ops.recon3d, name.split(".")[1]).get_rna_type()
        assert (rna.description and len(rna.name.split()) > 1) or rna.name == "Reconstruct", name


def test_the_button_says_that_there_is_nothing_to_import(addon, tmp_path):
    (tmp_path / "w").mkdir()
    bpy.context.scene.recon3d.workspace = str(tmp_path / "w")
    assert not bpy.ops.recon3d.import_result.poll()
    write_workspace(tmp_path / "w", ring())
    assert bpy.ops.recon3d.import_result.poll()


def test_other_photos_do_not_show_the_state_of_the_previous_job(addon, tmp_path):
    api.import_result(write_workspace(tmp_path / "w", ring()))
    assert current_job.session.notes
    bpy.context.scene.recon3d.photos = str(tmp_path)
    assert not current_job.session.notes and current_job.session.view is None


def test_of_several_meshes_only_the_newest_is_visible(addon, tmp_path):
    root = write_mesh_files(write_workspace(tmp_path / "w", ring()), dome(8), dome(12), texture=16)
    result = api.import_result(root)
    api.decimate(100)
    quads = api.make_quads(100)
    shown = [
        thing for thing in result.collection.all_objects if thing.type == "MESH" and not thing.hide_get()
    ]
    assert shown == [quads]
    api.clean()
    shown = [
        thing for thing in result.collection.all_objects if thing.type == "MESH" and not thing.hide_get()
    ]
    assert shown == [result.cloud]
