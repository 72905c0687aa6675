"""Photos from the file browser and by drag and drop, menus, and what the panel forgets."""

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d import api  # noqa: E402
from blender_recon3d.jobs import session  # noqa: E402
from tests.support.made_meshes import dome, write_mesh_files  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402


@pytest.mark.parametrize("operator", ["choose_photos", "drop_photos"])
@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["IMG_1.jpg", "IMG_2.jpg"], ""),  # the folder
        (["walk.MP4"], "walk.MP4"),
        ([], ""),
    ],
)
def test_photos_mean_their_folder_and_a_video_itself(addon, operator, names, chosen, tmp_path):
    files = [{"name": name} for name in names]
    assert getattr(bpy.ops.recon3d, operator)(directory=f"{tmp_path}/", files=files) == {"FINISHED"}
    assert bpy.context.scene.recon3d.photos == (str(tmp_path / chosen) if chosen else f"{tmp_path}/")


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
    assert session.session.notes
    bpy.context.scene.recon3d.photos = str(tmp_path)
    assert not session.session.notes and session.session.view is None


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
