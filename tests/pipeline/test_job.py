"""A job as a user runs it: it skips, resumes, survives being killed, cancels, and refuses with a sentence."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.events import read_events
from blender_recon3d.pipeline.files.atomic_files import write_json
from blender_recon3d.pipeline.mvs.depth_maps import map_paths
from blender_recon3d.pipeline.stage import STAGES
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.engine import REPOSITORY, recon3d
from tests.support.runs import (
    SMALL,
    centers,
    cpu_seconds,
    stages,
    start,
    state_json,
    wait_for,
    wait_with_cpu_seconds,
)

OPTIONS = SMALL
SURFACE = ["mesh", "texture"]


def ran(before: dict[str, dict], after: dict[str, dict]) -> list[str]:
    """The stages that ran again between two states."""
    return [name for name in STAGES if before.get(name) != after.get(name)]


def same_cameras(ours: Workspace, theirs: Workspace) -> None:
    """Usually the same to the bit; twice in a few hundred runs on a busy machine up to 0.05 % of the ring apart."""
    one, other = centers(ours), centers(theirs)
    assert one.keys() == other.keys()
    ring = np.linalg.norm(np.ptp(list(other.values()), axis=0))
    assert max(np.abs(one[name] - other[name]).max() for name in one) < 2e-3 * ring


def test_the_finished_chain_has_everything(finished):
    assert set(stages(finished)) == set(STAGES)
    for entry in stages(finished).values():
        assert entry["state"] == "done" and entry["seconds"] >= 0 and entry["peak_memory_mb"] > 20
    assert stages(finished)["sfm"]["summary"]["photos"] == 8
    assert stages(finished)["dense"]["summary"]["points"] > 10000
    for path in (finished.placement, finished.registration, finished.report_json, finished.report_html):
        assert path.stat().st_size > 0
    kinds = {event.kind for event in read_events(finished.events)[0]}
    assert {"progress", "done"} <= kinds and "error" not in kinds
    leftovers = [path for path in finished.root.rglob("*") if ".part" in path.name]
    assert not leftovers


def test_a_second_run_repeats_nothing(workspace, photos):
    before = stages(workspace)
    again = recon3d("run", photos, "-o", workspace.root, *OPTIONS)
    assert again.returncode == 0, again.stderr
    assert ran(before, stages(workspace)) == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--min-views", 4), ["dense", *SURFACE]),
        (("--faces", 900), SURFACE),
        (("--texture", 512), ["texture"]),
        (("--mapper", "global"), ["sfm", "refine", "dense", *SURFACE]),
        (
            ("--pairs", "sequential"),
            ["pairs", "matches", "sfm", "refine", "dense", *SURFACE],
        ),  # the features stay
        (
            ("--feature-size", 600),
            ["features", "matches", "sfm", "refine", "dense", *SURFACE],
        ),  # and so do the pairs
    ],
)
def test_a_changed_setting_runs_its_stage_and_later_ones_only(workspace, photos, options, expected):
    before = stages(workspace)
    # Stages after --until are dropped, because their inputs are gone.
    until = expected[0] if expected[0] != "pairs" else "matches"
    again = recon3d("run", photos, "-o", workspace.root, *OPTIONS, *options, "--until", until)
    assert again.returncode == 0, again.stderr
    assert ran(before, stages(workspace)) == expected


def test_killed_in_every_stage_it_ends_with_the_same_result(tmp_path, photos, finished):
    workspace = Workspace(tmp_path / "workspace")
    arguments = ("run", photos, "-o", workspace.root, *OPTIONS)
    for name in STAGES:
        before = stages(workspace)
        process = start(*arguments)
        wait_for(workspace, process, lambda events, name=name: any(event.stage == name for event in events))
        if name in ("features", "matches", "dense"):  # well within its items
            wait_for(workspace, process, lambda events, name=name: _items(events, name) >= 2)
        process.send_signal(signal.SIGKILL)
        process.wait()
        after = stages(workspace)
        # Everything done stays done, and the rest has at most started.
        for done in (other for other in STAGES if before.get(other, {}).get("state") == "done"):
            assert after[done] == before[done]
        if name == "dense":
            kept = _estimated(workspace)
            assert kept
    assert recon3d(*arguments).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == kept  # not estimated again
    same_cameras(workspace, finished)
    points = [stages(each)["dense"]["summary"]["points"] for each in (workspace, finished)]
    assert abs(points[0] - points[1]) < 0.01 * points[1]


def _estimated(workspace: Workspace) -> dict:
    """When each photo's normals were written.

    A photo is estimated once its photometric depth exists, which is removed at the end; its normals stay.
    """
    done = (workspace.dense / "stereo" / "depth_maps").glob("*.photometric.bin")
    maps = [map_paths(workspace.dense, path.name.removesuffix(".photometric.bin"))[1] for path in done]
    return {path: path.stat().st_mtime_ns for path in maps}


def _items(events, name: str) -> int:
    items = (
        event for event in events if event.stage == name and event.message not in ("undistorting", "checking")
    )
    return max((event.done for event in items), default=0)


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("features", "signal"),
        ("matches", "file"),
        ("sfm", "signal"),
        ("sfm", "file"),
        ("refine", "file"),
        ("dense", "signal"),
        ("dense", "file"),
        ("mesh", "file"),
        ("texture", "signal"),
    ],
)
def test_cancel_ends_within_five_seconds_with_code_3(tmp_path, finished, photos, name, way):
    """CPU seconds: in wall time, a busy machine takes longer."""
    workspace = Workspace(tmp_path / "workspace")
    shutil.copytree(finished.root, workspace.root)
    state = state_json(workspace)
    for later in STAGES[STAGES.index(name) :]:
        del state["stages"][later]
    write_json(workspace.state_file, state)
    process = start("run", photos, "-o", workspace.root, *OPTIONS)
    wait_for(workspace, process, lambda events: any(event.stage == name for event in events))
    before = cpu_seconds(process.pid)
    if way == "file":
        workspace.request_cancel()
    else:
        process.terminate()
    code, after = wait_with_cpu_seconds(process, timeout=60)
    assert code == 3
    assert after - before < 5
    assert (
        "Cancelled"
        in [event for event in read_events(workspace.events)[0] if event.kind == "error"][-1].message
    )
    assert stages(workspace)[name]["state"] == "started"


def test_a_paused_run_keeps_its_photos_and_continues(tmp_path, finished, photos):
    workspace = Workspace(tmp_path / "workspace")
    shutil.copytree(finished.root, workspace.root)
    state = state_json(workspace)
    for later in STAGES[STAGES.index("dense") :]:
        del state["stages"][later]
    write_json(workspace.state_file, state)
    options = [*OPTIONS, "--until", "dense"]
    process = start("run", photos, "-o", workspace.root, *options)
    wait_for(workspace, process, lambda events: any(event.message == "estimating depth" for event in events))
    paused = recon3d("pause", workspace.root, "--json")
    assert (paused.returncode, json.loads(paused.stdout)["paused"]) == (0, True)
    assert process.wait(timeout=20) == 3
    assert workspace.is_paused() and workspace.lock_owner() is None
    kept = _estimated(workspace)
    assert 1 <= len(kept) < 8
    refused = recon3d("pause", workspace.root)
    assert refused.returncode == 2 and "No run is in progress" in refused.stderr
    assert recon3d("run", photos, "-o", workspace.root, *options).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert not workspace.is_paused() and stages(workspace)["dense"]["state"] == "done"


def test_a_second_run_in_the_same_workspace_is_refused(tmp_path, photos):
    workspace = Workspace(tmp_path / "workspace")
    first = start("run", photos, "-o", workspace.root, *OPTIONS)
    wait_for(workspace, first, lambda events: any(event.stage == "features" for event in events))
    second = recon3d("run", photos, "-o", workspace.root, *OPTIONS)
    assert second.returncode == 1
    assert f"Another run is in progress in {workspace.root} (process " in second.stderr
    first.terminate()
    assert first.wait(timeout=20) == 3


def test_stages_as_separate_commands(tmp_path, photos, finished):
    output = tmp_path / "workspace"
    early = recon3d("matches", output)
    assert early.returncode == 2 and "has no job" in early.stderr
    without_until = OPTIONS[: OPTIONS.index("--until")] + OPTIONS[OPTIONS.index("--until") + 2 :]
    assert recon3d("photos", photos, "-o", output, *without_until).returncode == 0
    early = recon3d("matches", output)
    assert early.returncode == 2 and "recon3d pairs" in early.stderr
    assert "unchanged" in recon3d("photos", output).stderr
    for name in STAGES[1:6]:
        result = recon3d(name, output)
        assert result.returncode == 0, result.stderr
    same_cameras(Workspace(output), finished)


def test_json_events_on_stdout(workspace, photos):
    result = recon3d("run", photos, "-o", workspace.root, *OPTIONS, "--json")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [event["stage"] for event in events if event["kind"] == "done"] == [*STAGES, "report", "job"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "nowhere", "-o", "{tmp}/w"), "does not exist"),
        (("run", "{tmp}", "-o", "{tmp}/w", "--features", "sift"), "No photos were found"),
        (("run", "{tmp}"), "-o"),
        (("run", "{tmp}", "-o", "{tmp}/w", "--quality", "best"), "quality"),
        (("run", "{photos}", "-o", "{tmp}/w", "--features", "sift", "--dense", "colmap"), "CUDA"),
        (("nonsense",), "nonsense"),
    ],
)
def test_wrong_usage_is_a_message_and_exit_code_2(tmp_path, photos, arguments, words):
    if "colmap" in arguments and pycolmap.has_cuda:
        pytest.skip("this COLMAP has CUDA")
    result = recon3d(*(part.format(tmp=tmp_path, photos=photos) for part in arguments))
    assert result.returncode == 2
    assert words in result.stderr and "Traceback" not in result.stderr


def test_a_broken_workspace_file_is_reported(workspace, photos):
    workspace.photos.write_text("{")
    result = recon3d("pairs", workspace.root, "--pairs", "sequential")
    assert result.returncode == 1 and "photos.json has 1 bytes where" in result.stderr
    assert f"run recon3d photos {workspace.root} first" in result.stderr


@pytest.mark.skipif(
    shutil.which("mount") is None, reason="needs a small file system of its own, made with mount"
)
def test_a_full_disk_is_reported_and_truncates_nothing(tmp_path, photos):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", small], capture_output=True)
    if mounted.returncode:
        pytest.skip("no right to mount a small file system here")
    try:
        result = recon3d("run", photos, "-o", small / "w", *OPTIONS, "--until", "matches")
        assert result.returncode == 1
        assert "Traceback" not in result.stderr
        assert "disk is full" in result.stderr
        state = json.loads((small / "w" / "state.json").read_text())
        assert state["stages"]["photos"]["state"] == "done"
        subprocess.run(["mount", "-o", "remount,size=200m", small], check=True)
        again = recon3d("run", photos, "-o", small / "w", *OPTIONS, "--until", "matches")
        assert again.returncode == 0, again.stderr
    finally:
        subprocess.run(["umount", "--lazy", small], check=True)


def test_hostile_paths(tmp_path, photos):
    source = tmp_path / "Fotos für 写真 🏛 'x' & y"
    source.mkdir()
    for number, path in enumerate(sorted(photos.iterdir())[:4]):
        shutil.copy(path, source / f"Bild ü 写 🏛 {number}.jpg")
    output = tmp_path / "Ergebnis ü 写真 🏛"
    result = recon3d("run", source, "-o", output, *OPTIONS, "--until", "sfm")
    assert result.returncode == 0, result.stderr
    assert len(centers(Workspace(output))) == 4


def test_the_module_runs_under_another_package_name(tmp_path, photos):
    """As in an installed extension, where the package has another name."""
    shutil.copytree(
        REPOSITORY / "blender_recon3d", tmp_path / "other_name", ignore=shutil.ignore_patterns("__pycache__")
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "other_name.pipeline", "run", str(photos), "-o", str(tmp_path / "w")]
    result = subprocess.run(
        [*command, *map(str, OPTIONS), "--until", "sfm", "--mapper", "global"],
        capture_output=True, text=True, cwd=Path(tmp_path), env=environment, timeout=300,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr


def test_a_users_folder_is_never_mistaken_for_a_workspace(tmp_path, photos):
    """COLMAP's usual layout: CAPTURE/images. A stage also removes its files, so it must not start here."""
    shutil.copytree(photos, tmp_path / "capture" / "images")
    before = sorted(path.name for path in (tmp_path / "capture" / "images").iterdir())
    result = recon3d("run", tmp_path / "capture" / "images", "-o", tmp_path / "capture", *OPTIONS)
    assert (
        result.returncode == 2 and "is not a Recon3D workspace but already contains images" in result.stderr
    )
    assert sorted(path.name for path in (tmp_path / "capture" / "images").iterdir()) == before


def test_a_workspaces_own_pictures_are_refused_as_photos(workspace):
    result = recon3d("run", workspace.images, "-o", workspace.root, *OPTIONS)
    assert result.returncode == 2 and "lies inside the workspace itself" in result.stderr
    assert len(list(workspace.images.iterdir())) == 8


def test_photos_and_results_may_share_a_folder(tmp_path, photos):
    shutil.copytree(photos, tmp_path / "both")
    for expected in ("8 photos", "unchanged, kept"):
        result = recon3d("run", tmp_path / "both", "-o", tmp_path / "both", *OPTIONS, "--until", "pairs")
        assert result.returncode == 0 and expected in result.stderr, result.stderr


def test_a_mistyped_option_costs_nothing(workspace, photos):
    before = stages(workspace)
    for wrong in (("--masks", "/nowhere"), ("--camera-params", "1,2")):
        assert recon3d("run", photos, "-o", workspace.root, *OPTIONS, *wrong).returncode == 2
    assert stages(workspace) == before and len(list(workspace.images.iterdir())) == 8


@pytest.mark.skipif(os.name == "nt", reason="such names are Linux's")
def test_odd_entries_never_stop_a_run(tmp_path, photos):
    """A name that is not text, a dangling link, a damaged video beside the photos."""
    folder = tmp_path / "photos"
    shutil.copytree(photos, folder)
    shutil.copy(folder / "view_00.jpg", os.fsencode(folder) + b"/Br\xfccke.jpg")
    (folder / "link.jpg").symlink_to("nowhere.jpg")
    (folder / "clip.mov").write_bytes(b"no video")
    result = recon3d("run", folder, "-o", tmp_path / "w", *OPTIONS, "--until", "pairs")
    assert result.returncode == 0, result.stderr
    assert "8 photos" in result.stderr and "2 excluded" in result.stderr


def test_a_kill_while_old_results_are_removed_leaves_no_run_to_resume(workspace, photos):
    state = state_json(workspace)
    state["stages"]["dense"] = {"state": "resetting"}  # the content at that moment
    write_json(workspace.state_file, state)
    left = workspace.dense / "left by other settings"
    left.touch()
    assert recon3d("run", photos, "-o", workspace.root, *OPTIONS).returncode == 0
    assert not left.exists()
