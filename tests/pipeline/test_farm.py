"""Shards and Dask's workers: the same results, byte for byte, as of a run on one machine."""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path

import pytest

from blender_recon3d.pipeline.workspace import Workspace
from tests.support.engine import recon3d
from tests.support.planted import planted_weights
from tests.support.runs import start, wait_for
from tests.support.scenes import box_scene, ring, spot_texture, write_capture

pytest.importorskip("distributed", reason="the extra farm is not installed")

from tests.support.farm import farm, send_all

RESULTS = ("refined/cameras.bin", "refined/images.bin", "refined/points3D.bin", "dense/fusion.ply")
COARSE = ("--dense-size", 200, "--min-views", 2, "--device", "cpu", "--until", "dense")


def results(root: Path) -> dict[str, bytes]:
    return {name: (root / name).read_bytes() for name in RESULTS}


def test_shards(tmp_path):
    """The network's way: features as files, matches in blocks, and what fails the first look."""
    photos, plain, shared = tmp_path / "photos", tmp_path / "plain", tmp_path / "shared"
    photos.mkdir()
    write_capture(photos, ring(6, arc=0.6), box_scene(texture=spot_texture))
    weights = planted_weights(tmp_path / "weights")
    options = (
        "--features",
        "learned",
        "--weights",
        weights,
        "--precision",
        "fp32",
        "--max-keypoints",
        500,
        *COARSE,
    )
    assert recon3d("run", photos, "-o", plain, *options).returncode == 0

    def shards(stage: str) -> None:
        for part in (3, 1):  # the second is lost
            ran = recon3d(stage, shared, "--shard", f"{part}/3")
            assert ran.returncode == 0, ran.stderr

    assert recon3d("run", photos, "-o", shared, *options, "--until", "pairs").returncode == 0
    for name in ("features", "matches"):
        shards(name)
        assert recon3d(name, shared).returncode == 0
    assert recon3d("run", photos, "-o", shared, *options, "--until", "refine").returncode == 0
    shards("dense")
    shards("dense")
    assert recon3d("run", photos, "-o", shared, *options).returncode == 0
    assert results(shared) == results(plain)
    assert not list((shared / "items").rglob("*"))


def test_a_shard_of_a_stage_in_one_piece(workspace):
    ran = recon3d("dense", workspace.root, "--shard", "3/2")
    assert ran.returncode == 2 and "--shard" in ran.stderr
    ran = recon3d("mesh", workspace.root, "--shard", "1/2")
    assert ran.returncode == 2


def test_a_shard_before_its_turn(workspace):
    shutil.rmtree(workspace.refined)
    ran = recon3d("dense", workspace.root, "--dense-size", "300", "--shard", "1/2")
    assert ran.returncode == 1 and "recon3d refine" in ran.stderr


@pytest.mark.slow
def test_workers_that_vanish_and_stand_still(tmp_path):
    photos, plain, shared = tmp_path / "photos", tmp_path / "plain", Workspace(tmp_path / "shared")
    photos.mkdir()
    write_capture(photos, ring(8, arc=0.6), box_scene())
    options = ("--features", "sift", "--max-keypoints", 1000, *COARSE)
    assert recon3d("run", photos, "-o", plain, *options).returncode == 0
    with farm(tmp_path / "farm") as made:
        run = start("run", photos, "-o", shared.root, *options, "--scheduler", made.address)
        wait_for(shared, run, lambda events: any("No worker" in str(event.message) for event in events))
        workers = [made.start_worker() for _ in range(3)]  # late
        wait_for(shared, run, lambda events: _started(events), 300)
        send_all(workers[0], signal.SIGKILL)
        send_all(workers[1], signal.SIGSTOP)
        assert run.wait(900) == 0, run.stderr.read()
    assert results(shared.root) == results(plain)
    assert not list(shared.items.rglob("*"))


def _started(events: list) -> bool:
    """Whether some of the features have been found."""
    return any(event.stage == "features" and event.kind == "progress" and event.done for event in events)


@pytest.mark.slow
def test_cancelling_a_shared_run(tmp_path, photos):
    shared = Workspace(tmp_path / "shared")
    with farm(tmp_path / "farm") as made:
        run = start(
            "run", photos, "-o", shared.root, "--features", "sift", *COARSE, "--scheduler", made.address
        )
        wait_for(shared, run, lambda events: any("No worker" in str(event.message) for event in events))
        begun = time.monotonic()
        shared.request_cancel()
        assert run.wait(30) == 3 and time.monotonic() - begun < 15


def test_a_scheduler_that_is_not_there(tmp_path, photos):
    ran = recon3d(
        "run", photos, "-o", tmp_path / "out", "--features", "sift", *COARSE, "--scheduler", "127.0.0.1:9"
    )
    assert ran.returncode == 2
    assert "No Dask scheduler answers at 127.0.0.1:9" in ran.stderr and "Traceback" not in ran.stderr
