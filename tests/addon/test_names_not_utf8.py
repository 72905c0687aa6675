"""Photos, results and exports whose names are not UTF-8, in Blender, whose own names are UTF-8."""

import json
import os
import sys

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d import api, command_line  # noqa: E402
from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.properties import photos_path, workspace_path  # noqa: E402
from tests.support.made_meshes import dome, write_mesh_files  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
NAME = os.fsdecode(b"M\xfcnster")
SHOWN = "M\N{REPLACEMENT CHARACTER}nster"


def workspace_of(root, where=NAME):
    write_workspace(root, ring())
    photos = json.loads((root / "photos.json").read_text())
    for photo in photos["photos"]:
        photo["source"] = f"/photos/{NAME}.jpg"
    (root / "photos.json").write_text(json.dumps(photos))
    report = {"photos": [{**photos["photos"][0], "registration": {"state": "registered"}}],
              "advice": [{"text": f"{NAME} is blurred."}]}  # fmt: skip
    (root / "report.json").write_text(json.dumps(report))
    return write_mesh_files(root, dome(8), texture=16)


@pytest.mark.parametrize("folder", ["w", NAME])
def test_a_result_is_imported_and_updated(addon, engine_python, monkeypatch, tmp_path, folder):
    monkeypatch.setenv("RECON3D_PYTHON", str(engine_python))
    root = workspace_of(tmp_path / folder)
    assert bpy.ops.recon3d.import_folder(directory=str(root)) == {"FINISHED"}
    cameras = bpy.data.collections["Recon3D Cameras"].objects
    assert len(cameras) == 5 and cameras[0].name.startswith(SHOWN)
    assert api.import_result(root).updated  # found again by its folder
    settings = bpy.context.scene.recon3d
    assert settings.review[0].name == SHOWN and settings.advice[0].name == f"{SHOWN} is blurred."
    with pytest.raises(UserError, match="its name is not UTF-8: choose another name"):
        api.export_asset(tmp_path / f"{NAME}.glb")
    api.export_asset(root.parent / "a.glb")
    api.export_asset(tmp_path / NAME / "a.obj", "OBJ")
    api.export_cameras(tmp_path / NAME / "cameras")
    api.export_asset(tmp_path / f"{NAME} splats", "SPLATS")
    assert len(list((tmp_path / f"{NAME} splats" / "images").iterdir())) == 5
    api.save(tmp_path / f"{NAME}.blend")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / f"{NAME}.blend"))
    assert api.import_result(root).updated


def test_photos_and_results_can_be_chosen(addon, tmp_path):
    settings = bpy.context.scene.recon3d
    photos = tmp_path / NAME
    photos.mkdir()
    assert bpy.ops.recon3d.choose_photos(directory=f"{photos}/") == {"FINISHED"}
    assert photos_path(settings) == photos and workspace_path(settings) == tmp_path / f"{NAME}_recon3d"
    settings.workspace = str(tmp_path / NAME / "w")
    assert workspace_path(settings) == tmp_path / NAME / "w"
    with pytest.raises(RuntimeError, match="holds no reconstruction"):
        bpy.ops.recon3d.import_folder(directory=str(photos))


def test_the_command_prints(addon, tmp_path, capsys):
    root = workspace_of(tmp_path / NAME)
    assert command_line.main(["import", str(root), str(tmp_path / f"{NAME}.blend")]) == 0
    assert f"{SHOWN}.blend" in capsys.readouterr().out
