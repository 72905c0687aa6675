"""The panel's button and the API remove what `recon3d clean` removes, and nothing while a job runs."""

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d import api, chosen_folders  # noqa: E402
from blender_recon3d.jobs import current_job  # noqa: E402
from blender_recon3d.pipeline import results  # noqa: E402
from blender_recon3d.pipeline.documents.state_json import StageRecord, StageState  # noqa: E402
from blender_recon3d.pipeline.workspace import Workspace  # noqa: E402


@pytest.fixture
def workspace(addon, tmp_path) -> Workspace:
    """A finished dense stage, chosen in the scene."""
    made = Workspace(tmp_path / "out")
    for name in ("images/a.jpg", "sparse/cameras.bin", "fusion.ply", "stereo/depth_maps/a.bin"):
        (made.dense / name).parent.mkdir(parents=True, exist_ok=True)
        (made.dense / name).write_bytes(b"x" * 1000)
    made.write_stage("dense", StageRecord(state=StageState.DONE), files=results.files_of(made, "dense"))
    (tmp_path / "photos").mkdir()
    settings = bpy.context.scene.recon3d
    settings.photos, settings.workspace = str(tmp_path / "photos"), str(made.root)
    chosen_folders.remember(tmp_path / "photos", made.root)
    return made


def test_the_button_removes_depth_maps_and_keeps_results(workspace):
    assert bpy.ops.recon3d.free_disk_space() == {"FINISHED"}
    assert not (workspace.dense / "stereo").exists() and workspace.fusion.exists()
    assert not results.damaged(workspace, "dense")


def test_it_is_disabled_during_a_job_and_without_results(workspace, monkeypatch, tmp_path):
    assert bpy.ops.recon3d.free_disk_space.poll()
    monkeypatch.setattr(current_job.Session, "running", True)
    assert not bpy.ops.recon3d.free_disk_space.poll()
    monkeypatch.undo()
    bpy.context.scene.recon3d.workspace = str(tmp_path / "none")
    assert not bpy.ops.recon3d.free_disk_space.poll()


def test_the_api_tells_before_it_removes(workspace):
    assert api.free_disk_space(workspace.root) == 1000 and (workspace.dense / "stereo").is_dir()
    assert api.free_disk_space(workspace.root, remove=True) == 1000
    assert not (workspace.dense / "stereo").exists() and api.free_disk_space(workspace.root) == 0
