"""What survives a power cut, a full disk and damaged files: results count only when they are complete on the disk."""

from __future__ import annotations

import json
import os
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from blender_recon3d.pipeline import results
from blender_recon3d.pipeline.colmap.database_check import database_problem
from blender_recon3d.pipeline.colmap.model_files import check_model, inside
from blender_recon3d.pipeline.errors import Cancelled, FileFormatError, UserError
from blender_recon3d.pipeline.exporting.export_mesh import export
from blender_recon3d.pipeline.files import full_disk
from blender_recon3d.pipeline.files.atomic_files import atomic_file, atomic_folder, clone_or_copy, write_json
from blender_recon3d.pipeline.stage import STAGES
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.engine import recon3d
from tests.support.runs import SMALL, state_json

OPTIONS = SMALL


def torn(content: bytes, how: str) -> bytes:
    return {"empty": b"", "half": content[: len(content) // 2], "zeros": bytes(len(content))}[how]


# -- writing ----------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="Windows has no call to sync a folder")
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_content_is_on_the_disk_before_its_name_and_the_name_after_it(tmp_path, monkeypatch, kind):
    calls: list[tuple[str, str]] = []
    fsync, replace = os.fsync, os.replace

    def seen_fsync(descriptor: int) -> None:
        calls.append(("sync", Path(os.readlink(f"/proc/self/fd/{descriptor}")).name))
        fsync(descriptor)

    def seen_replace(source: Path, target: Path) -> None:
        calls.append(("rename", Path(target).name))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(os, "replace", seen_replace)
    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc to tell which file is synced")
    if kind == "file":
        with atomic_file(tmp_path / "a") as part:
            part.write_text("content")
        assert calls == [("sync", "a.part"), ("rename", "a"), ("sync", tmp_path.name)]
    else:
        with atomic_folder(tmp_path / "a") as part:
            (part / "b").write_text("content")
        assert calls == [("sync", "b"), ("sync", "a.part"), ("rename", "a"), ("sync", tmp_path.name)]


def test_a_failure_on_a_full_disk_is_reported_as_such_whatever_the_library_says(tmp_path, monkeypatch):
    monkeypatch.setattr(full_disk, "LITTLE", 2**62)  # whatever space there is, it counts as none
    for failure in (
        ValueError("need at least one array"),
        RuntimeError("No factory"),
        UserError("COLMAP stopped"),
    ):
        with pytest.raises(OSError, match="No space left"), atomic_folder(tmp_path / "a"):
            raise failure
    for kept in (UserError("wrong option", 2), Cancelled()):
        with pytest.raises(type(kept)), atomic_folder(tmp_path / "a"):
            raise kept
    assert os.listdir(tmp_path) == []


def test_a_photo_in_the_workspace_is_not_changed_by_edits_of_the_original(tmp_path):
    source = tmp_path / "a.jpg"
    source.write_bytes(b"photo")
    clone_or_copy(source, tmp_path / "images" / "a.jpg")
    with open(source, "r+b") as file:  # in place, like some editors
        file.write(b"other")
    assert (tmp_path / "images" / "a.jpg").read_bytes() == b"photo"


# -- checking ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["empty", "half", "zeros", "gone"])
@pytest.mark.parametrize(
    ("stage", "name"),
    [
        ("photos", "photos.json"),
        ("photos", "images/view_03.jpg"),
        ("pairs", "pairs.txt"),
        ("features", "database.db"),
        ("matches", "database.db"),
        ("sfm", "sparse/0/points3D.bin"),
        ("sfm", "placement.json"),
        ("dense", "dense/fusion.ply"),
        ("dense", "dense/images/view_03.jpg"),
        ("mesh", "mesh/mesh.ply"),
        ("texture", "texture/texture.png"),
    ],
)
def test_a_damaged_file_is_found_and_named(finished, tmp_path, stage, name, how):
    # Links instead of a copy: damaged files are rewritten.
    root = tmp_path / "workspace"
    shutil.copytree(finished.root, root, copy_function=os.link)
    workspace = Workspace(root)
    assert results.damaged(workspace, stage) == []
    path = root / name
    content = path.read_bytes()
    path.unlink()
    if how != "gone":
        path.write_bytes(torn(content, how))
    found = results.damaged(workspace, stage)
    assert [damage.path for damage in found] == [path]
    assert stage in results.sentence(stage, found) and name in results.sentence(stage, found)
    with pytest.raises(UserError, match=f"run recon3d {stage} "):
        results.require(workspace, stage)


def test_a_workspace_without_sizes_counts_by_what_is_there(workspace):
    """Those of version 0.1.0."""
    state = state_json(workspace)
    del state["files"]
    write_json(workspace.state_file, state)
    assert all(results.damaged(workspace, stage) == [] for stage in STAGES)
    workspace.fusion.write_bytes(b"")
    assert [damage.path for damage in results.damaged(workspace, "dense")] == [workspace.fusion]


def test_names_of_files_in_a_state_do_not_reach_other_folders(workspace, tmp_path):
    (tmp_path / "precious").write_text("mine")
    state = state_json(workspace)
    for name in (
        "../precious",
        str(tmp_path / "precious"),
        "images/../../precious",
        "C:/precious",
        "..\\precious",
    ):
        state["files"]["photos"][name] = "1 00000000"
    write_json(workspace.state_file, state)
    assert results.damaged(workspace, "photos") == []


@pytest.mark.parametrize("recorded", ["", " ", "many 00000000", "-1"])
def test_a_states_entry_of_a_file_may_be_anything(workspace, recorded):
    state = state_json(workspace)
    state["files"]["mesh"]["mesh/mesh.ply"] = recorded
    write_json(workspace.state_file, state)
    assert [damage.path for damage in results.damaged(workspace, "mesh")] == [workspace.mesh_file]


def test_damaged_databases_are_found(finished, tmp_path):
    content = finished.database.read_bytes()
    assert database_problem(finished.database) == ""
    path = tmp_path / "database.db"
    page = content[16] * 256 + content[17]
    for damaged in (
        b"",
        content[: len(content) // 2],
        bytes(len(content)),
        os.urandom(100),
        content[: 3 * page] + bytes(page) + content[4 * page :],
        content[:-page] + bytes(page),  # SQLite's own check may accept it as data
    ):
        path.write_bytes(damaged)
        assert database_problem(path), len(damaged)


def test_models_cut_short_anywhere_are_refused(finished, tmp_path):
    check_model(finished.model)
    shutil.copytree(finished.model, tmp_path / "model")
    for name in ("cameras.bin", "images.bin", "points3D.bin", "frames.bin", "rigs.bin"):
        path = tmp_path / "model" / name
        content = path.read_bytes()
        for length in sorted({0, 1, 7, 8, 30, len(content) // 3, len(content) // 2, len(content) - 1}):
            if length < len(content):
                path.write_bytes(content[:length])
                with pytest.raises(FileFormatError, match=name):
                    check_model(tmp_path / "model")
        path.write_bytes(bytes(len(content)))
        with pytest.raises(FileFormatError, match=name):
            check_model(tmp_path / "model")
        path.write_bytes(content)


@pytest.mark.parametrize("name", ["../../x.jpg", "/etc/x.jpg", "a/../../x.jpg", "C:\\x.jpg", "..\\x.jpg", ""])
def test_models_whose_photos_are_elsewhere_are_refused(finished, tmp_path, name):
    assert not inside(name) and inside("a/b 10:30.jpg")
    shutil.copytree(finished.model, tmp_path / "model")
    path = tmp_path / "model" / "images.bin"
    content = path.read_bytes()
    end = content.index(b"\0", 8 + 64)
    path.write_bytes(content[: 8 + 64] + name.encode() + content[end:])
    with pytest.raises(FileFormatError, match="outside"):
        check_model(tmp_path / "model")


def test_the_size_in_a_visibility_file_is_not_trusted(tmp_path):
    from blender_recon3d.pipeline.mvs.fusion import read_visibility

    path = tmp_path / "fusion.ply.vis"
    for content in (struct.pack("<Q", 2**33), struct.pack("<QII", 1, 2**31, 0), struct.pack("<QII", 2, 1, 0)):
        path.write_bytes(content)
        with pytest.raises(FileFormatError):
            read_visibility(path)
    path.write_bytes(struct.pack("<QII", 1, 1, 5))
    counts, words = read_visibility(path)
    assert counts.tolist() == [1] and words.tolist() == [1, 5]


# -- running again ----------------------------------------------------------------------------------


def test_a_damaged_photo_is_copied_again_and_later_results_stay(workspace, photos):
    before = state_json(workspace)["stages"]
    path = workspace.images / "view_03.jpg"
    path.write_bytes(bytes(path.stat().st_size))
    ran = recon3d("run", photos, "-o", workspace.root, *OPTIONS)
    assert ran.returncode == 0, ran.stderr
    assert "view_03.jpg has different content than was written: the stage photos runs again" in ran.stderr
    assert path.read_bytes() == (photos / "view_03.jpg").read_bytes()
    after = state_json(workspace)["stages"]
    assert {name for name in STAGES if before[name] != after[name]} <= {
        "photos"
    }  # the same except for its seconds


def test_a_damaged_database_is_replaced(workspace, photos):
    workspace.database.write_bytes(os.urandom(100))
    ran = recon3d("run", photos, "-o", workspace.root, *OPTIONS, "--until", "matches")
    assert ran.returncode == 0, ran.stderr
    assert "database.db has 100 bytes where" in ran.stderr
    assert database_problem(workspace.database) == ""
    workspace.database.write_bytes(os.urandom(100))
    fresh = recon3d("run", photos, "-o", workspace.root, *OPTIONS, "--until", "features", "--fresh")
    assert fresh.returncode == 0, fresh.stderr
    assert not workspace.dense.exists()


def test_truncated_depth_and_undistorted_photos_are_computed_again(workspace, photos):
    state = state_json(workspace)
    state["stages"]["dense"]["state"] = "started"  # a power cut in the middle of it
    for later in ("mesh", "texture"):
        del state["stages"][later]
    write_json(workspace.state_file, state)
    workspace.fusion.unlink()
    normals = sorted((workspace.dense / "stereo" / "normal_maps").glob("*.bin"))
    normals[0].write_bytes(normals[0].read_bytes()[:1000])
    kept = normals[-1].stat().st_mtime_ns
    ran = recon3d("run", photos, "-o", workspace.root, *OPTIONS, "--until", "dense")
    assert ran.returncode == 0, ran.stderr
    assert f"{normals[0]} is incomplete: rebuilding it" in ran.stderr
    assert normals[0].stat().st_size == normals[1].stat().st_size and normals[-1].exists()
    assert normals[-1].stat().st_mtime_ns >= kept


def test_a_shorter_run_leaves_no_results_of_the_longer_one(workspace, photos, tmp_path):
    fewer = tmp_path / "fewer"
    shutil.copytree(photos, fewer)
    (fewer / "view_00.jpg").unlink()
    ran = recon3d("run", fewer, "-o", workspace.root, *OPTIONS, "--until", "pairs")
    assert ran.returncode == 0, ran.stderr
    for path in (workspace.sparse, workspace.dense, workspace.mesh, workspace.texture, workspace.placement):
        assert not path.exists()
    with pytest.raises(UserError, match="run recon3d texture"):
        export(workspace, tmp_path / "x.glb")


def test_results_that_the_state_has_dropped_are_neither_exported_nor_evaluated(workspace, tmp_path):
    """As version 0.1.0 left them: no longer in the state, but the files still existed."""
    state = state_json(workspace)
    for later in ("dense", "mesh", "texture"):
        del state["stages"][later]
    write_json(workspace.state_file, state)
    with pytest.raises(UserError, match="has no finished texture"):
        export(workspace, tmp_path / "x.glb")
    assert not results.has(workspace, "dense", workspace.fusion)
    assert not results.has(workspace, "mesh", workspace.mesh_file)


def test_the_run_continues_while_the_photos_are_missing_and_after_they_moved(finished, photos, tmp_path):
    here, there, output = tmp_path / "card", tmp_path / "moved", tmp_path / "workspace"
    shutil.copytree(photos, here)
    until = (*OPTIONS, "--until", "photos")
    assert recon3d("run", here, "-o", output, *until).returncode == 0
    here.rename(there)
    away = recon3d("run", here, "-o", output, *OPTIONS, "--until", "pairs")
    assert away.returncode == 0, away.stderr
    assert f"no longer in {here}: the workspace's copies" in away.stderr
    for path in there.iterdir():
        os.utime(path, (1, 1))
    moved = recon3d("run", there, "-o", output, *until)
    assert moved.returncode == 0 and "unchanged, kept" in moved.stderr, moved.stderr
    typo = recon3d("run", tmp_path / "typo", "-o", output, *until)
    assert typo.returncode == 2 and "does not exist" in typo.stderr
    fresh = recon3d("run", here, "-o", output, *until, "--fresh")
    assert fresh.returncode == 2 and len(list((output / "images").iterdir())) == 8
    path = there / "view_00.jpg"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    other = recon3d("run", there, "-o", output, *until)
    assert "unchanged" not in other.stderr


def test_a_placement_made_later_counts_as_the_stages_own(workspace):
    assert recon3d("place", workspace.root, "--scale", 2).returncode == 0
    assert results.damaged(workspace, "sfm") == []
    matrix = np.array(json.loads(workspace.placement.read_text())["world_from_model"])
    assert abs(np.linalg.det(matrix[:3, :3]) - 8) < 1e-6
