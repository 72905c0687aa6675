"""Which folders may become workspaces, judged by the folder alone."""

import os

import pytest

from blender_recon3d.pipeline.claim import check_claim, claim, is_ours, own_paths
from blender_recon3d.pipeline.documents.state_json import StageRecord, StageState
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.log_rotation import rotate
from blender_recon3d.pipeline.workspace import Workspace

NAMES = [path.name for path in own_paths(Workspace("/workspace"))]


@pytest.mark.parametrize("name", NAMES)
def test_none_of_our_names_may_exist_already(tmp_path, name):
    (tmp_path / name).write_text("of the user")
    with pytest.raises(UserError, match="is not a Recon3D workspace") as caught:
        claim(Workspace(tmp_path))
    assert name in str(caught.value) and caught.value.exit_code == 2
    assert os.listdir(tmp_path) == [name]


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
@pytest.mark.parametrize("name", NAMES)
def test_no_name_may_be_a_link(tmp_path, name):
    workspace = Workspace(tmp_path)
    claim(workspace)
    (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / name).symlink_to(tmp_path / "nowhere")
    with pytest.raises(UserError, match=f"{name} is a link"):
        claim(workspace)
    with pytest.raises(UserError, match="is a link"):
        check_claim(workspace)


def test_other_files_may_exist(tmp_path):
    (tmp_path / "notes.txt").write_text("of the user")
    workspace = Workspace(tmp_path)
    assert not check_claim(workspace) and not is_ours(workspace)
    claim(workspace)
    assert is_ours(workspace) and check_claim(workspace)
    claim(workspace)
    assert (tmp_path / "notes.txt").read_text() == "of the user"


def test_a_workspace_whose_state_was_damaged_is_still_one(tmp_path):
    workspace = Workspace(tmp_path)
    claim(workspace)
    with workspace.locked():
        pass
    for content in (b"", b"\0" * 40, b"{"):
        workspace.state_file.write_bytes(content)
        assert is_ours(workspace)
        workspace.lock_file.write_bytes(b"")  # as a power cut may leave it
        assert is_ours(workspace)
    workspace.lock_file.write_bytes(b"of the user")
    assert not is_ours(workspace)


def test_the_claim_does_not_undo_another_runs_state(tmp_path):
    workspace = Workspace(tmp_path)
    claim(workspace)
    workspace.write_stage("photos", StageRecord(state=StageState.DONE))
    claim(workspace)
    assert workspace.read_state().stage("photos").done


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
@pytest.mark.parametrize("ask", ["locked", "cancel"])
def test_nothing_is_written_through_a_link(tmp_path, ask):
    victim = tmp_path / "victim"
    victim.write_text("keep")
    workspace = Workspace(tmp_path / "w")
    workspace.create()
    (workspace.lock_file if ask == "locked" else workspace.cancel_file).symlink_to(victim)
    with pytest.raises((UserError, OSError)):
        if ask == "locked":
            with workspace.locked():
                pass
        else:
            workspace.request_cancel()
    assert victim.read_text() == "keep"


def test_small_logs_stay_and_large_ones_are_rotated(tmp_path):
    workspace = Workspace(tmp_path)
    workspace.log.write_bytes(b"small")
    rotate(workspace)
    assert workspace.log.read_bytes() == b"small" and not workspace.old_log.exists()
    with open(workspace.log, "ab") as file:
        file.truncate(9 << 20)
    workspace.old_log.write_bytes(b"older")
    rotate(workspace)
    assert not workspace.log.exists() and workspace.old_log.stat().st_size == 9 << 20
