"""An import uses complete results that belong to the workspace's state; leftovers of an earlier run are not results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.pipeline import results
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.workspace import Workspace
from blender_recon3d.scene.importing.find_source import find_source
from blender_recon3d.scene.importing.import_workspace import import_workspace
from tests.support.made_meshes import dome, write_mesh_files
from tests.support.made_workspaces import ring, write_workspace

FILES = {
    "sfm": ("sparse/0", "placement.json"),
    "dense": ("dense/sparse", "dense/images", "dense/fusion.ply"),
    "mesh": ("mesh",),
    "texture": ("texture",),
}


def workspace(root: Path, *done: str) -> Workspace:
    """A workspace with all results, of which the state contains those of the stages `done`."""
    write_workspace(root, ring())
    write_mesh_files(root, dome(), texture=16)
    found = Workspace(root)
    found.registration.write_text("{}")
    state = {
        "stages": {stage: {"state": "done"} for stage in done},
        "files": {s: results.describe_all(found, [root / name for name in FILES[s]]) for s in done},
    }
    found.state_file.write_text(json.dumps(state))
    return found


def test_what_is_done_is_imported(tmp_path):
    found = workspace(tmp_path, "sfm", "dense", "mesh", "texture")
    result = import_workspace(tmp_path)
    assert result.mesh is not None and result.mesh.data.uv_layers and result.notes == ()
    assert find_source(tmp_path).cloud == found.fusion


def test_results_of_an_earlier_run_are_left_alone(tmp_path):
    found = workspace(tmp_path, "sfm")
    result = import_workspace(tmp_path)
    assert len(result.cameras) == 5 and result.mesh is None
    source = find_source(tmp_path)
    assert source.model == found.model and source.cloud is None


def test_where_nothing_is_done_nothing_is_imported(tmp_path):
    workspace(tmp_path)
    with pytest.raises(UserError, match="no finished cameras"):
        import_workspace(tmp_path)


@pytest.mark.parametrize("torn", [b"", b"half", None])
def test_a_damaged_cloud_or_mesh_is_named_and_left_out(tmp_path, torn):
    found = workspace(tmp_path, "sfm", "dense", "mesh", "texture")
    for path in (found.fusion, found.mesh_file):
        path.write_bytes(bytes(path.stat().st_size) if torn is None else torn)
    result = import_workspace(tmp_path)
    assert len(result.cameras) == 5 and result.points == 500 and result.mesh is None
    assert any("fusion.ply" in note for note in result.notes)
    assert any("mesh.ply" in note for note in result.notes)


def test_a_damaged_model_is_replaced_by_the_other_or_refused(tmp_path):
    found = workspace(tmp_path, "sfm", "dense")
    (found.dense / "sparse" / "images.bin").write_bytes(b"\0" * 100)
    source = find_source(tmp_path)
    assert source.model == found.model and any("images.bin has 100 bytes" in note for note in source.notes)
    (found.model / "images.bin").write_bytes(b"")
    with pytest.raises(UserError, match="press Reconstruct"):
        find_source(tmp_path)
