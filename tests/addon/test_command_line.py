"""`blender -c recon3d ...`, as Blender calls it."""

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d import api, command_line  # noqa: E402
from tests.support.made_meshes import dome, write_mesh_files  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402


def test_a_folder_becomes_a_file(addon, tmp_path, capsys):
    root = write_workspace(tmp_path / "w", ring())
    blend = tmp_path / "out" / "a.blend"
    assert command_line.main(["import", str(root), str(blend)]) == 0
    assert "Imported 5 cameras and 500 points." in capsys.readouterr().out
    bpy.ops.wm.open_mainfile(filepath=str(blend))
    assert len(bpy.data.collections["Recon3D Cameras"].objects) == 5 and len(bpy.data.objects) == 7


def test_everything_else_is_the_engines(addon, engine_python, monkeypatch, tmp_path, capfd):
    monkeypatch.setenv("RECON3D_PYTHON", str(engine_python))
    assert command_line.main(["weights", "list"]) == 0
    assert "superpoint" in capfd.readouterr().out
    (tmp_path / "empty").mkdir()
    words = ["run", str(tmp_path / "empty"), "-o", str(tmp_path / "w"), "--blend", str(tmp_path / "a.blend")]
    assert command_line.main(words) == 2
    assert "No photos were found" in capfd.readouterr().err and not (tmp_path / "a.blend").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["import", "somewhere"], "required: FILE.blend"),
        (["import", "/nowhere", "/tmp/never.blend"], "holds no reconstruction"),
        (["run", "photos", "--blend", "a.blend"], "needs -o OUT"),
        (["setup"], "not installed as an extension"),
    ],
)
def test_wrong_usage_gives_a_message_and_an_exit_code(addon, words, sentence, capsys):
    assert command_line.main(words) == 2
    assert sentence in capsys.readouterr().err


def test_help_names_the_commands(addon, capsys):
    assert command_line.main([]) == 0
    assert "blender -c recon3d import FOLDER FILE.blend" in capsys.readouterr().out


def test_what_the_engine_alone_writes_is_exported_too(addon, engine_python, monkeypatch, tmp_path):
    monkeypatch.setenv("RECON3D_PYTHON", str(engine_python))
    root = write_mesh_files(write_workspace(tmp_path / "w", ring()), dome(8), texture=16)
    api.import_result(root)
    assert api.export_asset(tmp_path / "cloud", "LAS") == f"Exported {tmp_path / 'cloud.las'}."
    assert (tmp_path / "cloud.las").read_bytes()[:4] == b"LASF"
    api.export_asset(tmp_path / "a", "3MF")
    assert (tmp_path / "a.3mf").read_bytes()[:2] == b"PK"
