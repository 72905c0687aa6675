"""`recon3d clean`: depth maps go, results stay, and nothing of the user's is touched."""

import json

import pytest

from blender_recon3d.pipeline import results
from blender_recon3d.pipeline.cli.recon3d import main
from blender_recon3d.pipeline.documents.state_json import StageRecord, StageState
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.superfluous_files import clean, removable
from blender_recon3d.pipeline.workspace import Workspace


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    """A finished dense stage, an unfinished mesh, and a file of the user's."""
    made = Workspace(tmp_path / "out")
    for name in (
        "images/a.jpg",
        "sparse/cameras.bin",
        "fusion.ply",
        "stereo/depth_maps/a.bin",
        "stereo/fusion.cfg",
    ):
        (made.dense / name).parent.mkdir(parents=True, exist_ok=True)
        (made.dense / name).write_bytes(b"x" * 1000)
    made.mesh.mkdir()
    (made.mesh / "part.ply").write_bytes(b"x")
    (made.root / "notes.txt").write_text("mine")
    done = StageRecord(state=StageState.DONE)
    made.write_stage("dense", done, files=results.files_of(made, "dense"))
    made.write_stage("mesh", StageRecord(state=StageState.STARTED))
    return made


def test_what_no_result_contains_is_listed_and_then_removed(workspace):
    (found,) = clean(workspace, delete=False).files
    assert (found.path, found.bytes, found.stage) == ("dense/stereo", 2000, "dense")
    assert (workspace.dense / "stereo").is_dir()
    assert clean(workspace, delete=True).bytes == 2000
    assert not (workspace.dense / "stereo").exists() and (workspace.mesh / "part.ply").exists()
    assert (workspace.root / "notes.txt").exists()
    assert not results.damaged(workspace, "dense") and removable(workspace) == []


def test_the_command_only_lists_without_yes(workspace, capsys):
    assert main(["clean", str(workspace.root)]) == 0
    assert "dense/stereo" in (shown := capsys.readouterr().out) and "--yes" in shown
    assert (workspace.dense / "stereo").is_dir()
    assert main(["clean", str(workspace.root), "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["removed"] is True
    assert not (workspace.dense / "stereo").exists()


def test_other_folders_and_running_jobs_are_left_alone(workspace, tmp_path):
    with pytest.raises(UserError, match="not a Recon3D workspace"):
        clean(Workspace(tmp_path), delete=True)
    with workspace.locked(), pytest.raises(UserError, match="Another run is in progress"):
        clean(Workspace(workspace.root), delete=True)
    assert (workspace.dense / "stereo").is_dir()
