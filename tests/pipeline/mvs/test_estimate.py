"""Estimating all photos of a workspace: memory limits, failing devices, resuming, and the result of fusion."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.errors import Cancelled, Paused, UserError
from blender_recon3d.pipeline.events import Event, Progress
from blender_recon3d.pipeline.files.ply import columns
from blender_recon3d.pipeline.mvs import estimate
from blender_recon3d.pipeline.mvs.depth_forecast import (
    MIN_ROWS,
    Plan,
    forecast,
    plan,
    process_bytes,
)
from blender_recon3d.pipeline.mvs.depth_maps import map_paths, photometric_path, read_map, write_maps
from blender_recon3d.pipeline.mvs.depth_speed import seconds_per_megapixel
from blender_recon3d.pipeline.mvs.depth_views import load_scene
from blender_recon3d.pipeline.mvs.fusion import fuse
from blender_recon3d.pipeline.mvs.pinhole import scaled_intrinsics
from blender_recon3d.pipeline.mvs.planes import normals
from tests.support.engine import REPOSITORY
from tests.support.scenes import HEIGHT, INTRINSICS, WIDTH, box_scene, depth

CPU = torch.device("cpu")
GB = 2**30


def nothing() -> None:
    pass


def test_the_plan_keeps_to_the_memory():
    medium = [(750, 1000)] * 10
    whole = plan(medium, "cpu", 4 * GB)
    assert whole.workers >= 1 and whole.rows == 750 and whole.bytes < 4 * GB
    huge = plan([(6000, 8000)], "cpu", 4 * GB)
    assert huge.workers == 1 and MIN_ROWS <= huge.rows < 6000 and huge.bytes <= 4 * GB
    smallest = plan([(6000, 8000)], "cpu", 0.5 * GB)
    assert smallest.rows == MIN_ROWS
    assert plan([], "cpu", GB).workers == 1


def test_the_forecast_is_for_this_machine():
    unit = seconds_per_megapixel("cpu", 2)
    assert unit > 0 and forecast([(1000, 1000)] * 4, Plan(1, 1000, 0), unit) >= 4 * unit


def test_bands_give_nearly_what_the_whole_photo_gives(finished):
    scene, cache = load_scene(finished.dense, 4), estimate.PhotoCache()
    whole, whole_normal = estimate.estimate_one(scene, 3, cache, CPU, 10_000, nothing)
    bands, bands_normal = estimate.estimate_one(scene, 3, cache, CPU, 128, nothing)
    both = (whole > 0) & (bands > 0)
    assert both.sum() > 0.9 * (whole > 0).sum()
    assert np.mean(np.abs(whole - bands)[both] < 0.005 * whole[both]) > 0.95
    assert np.mean((whole_normal * bands_normal).sum(-1)[both] > 0.97) > 0.9


MEASURE = """
import sys, dataclasses
from pathlib import Path
import cv2, numpy as np, torch
torch.set_num_threads(1)
from blender_recon3d.pipeline.mvs import estimate
from blender_recon3d.pipeline.mvs.depth_forecast import plan
from blender_recon3d.pipeline.mvs.depth_views import View, load_scene
from blender_recon3d.pipeline.mvs.pinhole import scaled_intrinsics
scene = load_scene(Path(sys.argv[1]), 4)
times, memory = float(sys.argv[2]), int(sys.argv[3])
def enlarged(view):
    size = (round(view.width * times), round(view.height * times))
    k = scaled_intrinsics(view.intrinsics, size[0] / view.width, size[1] / view.height)
    return dataclasses.replace(view, width=size[0], height=size[1], intrinsics=k)
read = View.read_gray
View.read_gray = lambda view: cv2.resize(read(view), (view.width, view.height))
scene = dataclasses.replace(scene, views=[enlarged(v) for v in scene.views],
                            points=[p * np.array([times, times, 1]) for p in scene.points])
view = scene.views[3]
chosen = plan([(view.height, view.width)], "cpu", memory)
estimate.estimate_one(scene, 3, estimate.PhotoCache(5), torch.device("cpu"), chosen.rows, lambda: None)
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(chosen.rows, chosen.bytes, int(peak.split()[1]) * 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
@pytest.mark.parametrize(("times", "memory"), [(3.0, 4 * GB), (3.0, process_bytes() + (180 << 20))])
def test_a_photo_takes_no_more_memory_than_planned(finished, times, memory):
    """1.6 megapixels, whole and in bands."""
    command = [sys.executable, "-c", MEASURE, str(finished.dense), str(times), str(memory)]
    ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    rows, planned, peak = (int(word) for word in ran.stdout.split())
    assert peak <= 1.1 * planned <= 1.2 * memory
    assert (rows < 1000) == (memory < GB)


class Recorder:
    """A progress that records its calls."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.progress = Progress(self.events.append)

    def said(self, kind: str) -> str:
        return " ".join(event.message for event in self.events if event.kind == kind)


@pytest.mark.parametrize(
    ("errors", "device", "rows", "words"),
    [
        ([torch.OutOfMemoryError("CUDA out of memory")], "meta", 300, "bands of 300 rows"),
        ([torch.OutOfMemoryError("CUDA out of memory")] * 3, "cpu", 600, "continues on the CPU"),
        ([RuntimeError("driver: unspecified launch failure")], "cpu", 600, "launch failure"),
        ([MemoryError()], "cpu", 300, "The CPU ran out of memory"),
    ],
)
def test_a_failing_device_gets_smaller_tasks_and_is_then_abandoned(errors, device, rows, words):
    """In place of a GPU: the reaction to its errors."""
    recorder = Recorder()
    start = torch.device("cpu" if isinstance(errors[0], MemoryError) else "meta")
    budget = estimate.ComputeBudget(start, Plan(1, 600, 0), recorder.progress)
    for error in errors:
        budget.reduce(budget.current(), 600, error)
    assert budget.current() == (torch.device(device), rows)
    assert words in recorder.said("warning")


def test_no_memory_at_all_is_one_message():
    budget = estimate.ComputeBudget(CPU, Plan(1, MIN_ROWS, 0), Progress())
    with pytest.raises(UserError, match="--dense-size"):
        budget.reduce(budget.current(), 2000, MemoryError())


def test_a_failure_that_another_photo_has_handled_changes_nothing():
    budget = estimate.ComputeBudget(CPU, Plan(2, 1200, 0), Progress())
    before = budget.current()
    budget.reduce(before, 1200, MemoryError())
    budget.reduce(before, 1200, MemoryError())
    assert budget.current()[1] == 600


def test_our_own_errors_are_not_mistaken_for_the_devices(workspace, monkeypatch):
    scene = load_scene(workspace.dense, 4)
    monkeypatch.setattr(estimate, "estimate_one", lambda *_: (_ for _ in ()).throw(RuntimeError("a bug")))
    budget = estimate.ComputeBudget(CPU, Plan(1, 1000, 0), Progress())
    with pytest.raises(RuntimeError, match="a bug"):
        estimate.estimate_safely(scene, 0, estimate.PhotoCache(), budget, nothing)


def all_maps(workspace, progress=None):
    scene = load_scene(workspace.dense, 4)
    masks = workspace.dense / "masks"
    return scene, estimate.estimate_all(workspace.dense, scene, CPU, masks, GB, progress or Progress())


def test_only_what_is_missing_is_estimated_again(workspace):
    scene = load_scene(workspace.dense, 4)
    name = scene.views[2].name
    kept = map_paths(workspace.dense, scene.views[5].name)[0]
    before = kept.stat().st_mtime_ns
    expected = read_map(map_paths(workspace.dense, name)[0])
    map_paths(workspace.dense, name)[0].unlink()
    _, alone = all_maps(workspace)
    assert alone == [] and kept.stat().st_mtime_ns == before
    assert np.array_equal(read_map(map_paths(workspace.dense, name)[0]), expected)
    assert not list((workspace.dense / "stereo" / "depth_maps").glob("*.photometric.bin"))


def test_a_cancelled_run_keeps_the_photos_it_finished(workspace):
    scene = load_scene(workspace.dense, 4)
    for view in scene.views:
        map_paths(workspace.dense, view.name)[0].unlink()
    finished = []

    def sink(event: Event) -> None:
        if event.message == "estimating depth":
            finished.append(event.done)

    progress = Progress(sink, cancelled=lambda: len(finished) > 2)
    with pytest.raises(Cancelled):
        all_maps(workspace, progress)
    there = [view for view in scene.views if photometric_path(workspace.dense, view.name).exists()]
    assert 2 <= len(there) < len(scene.views)
    assert all_maps(workspace)[1] == []
    assert all(map_paths(workspace.dense, view.name)[0].exists() for view in scene.views)


def test_a_pause_finishes_the_photos_in_progress(workspace):
    """Asked for before the first photo is done: as many are estimated as were begun, one by each worker."""
    scene = load_scene(workspace.dense, 4)
    for view in scene.views:
        map_paths(workspace.dense, view.name)[0].unlink()
    before = iter([False])  # the first photos have not begun
    progress = Progress(paused=lambda: next(before, True))
    with pytest.raises(Paused):
        all_maps(workspace, progress)
    there = [view for view in scene.views if photometric_path(workspace.dense, view.name).exists()]
    assert 1 <= len(there) < len(scene.views)
    assert all_maps(workspace)[1] == []


def test_true_maps_fuse_to_points_on_the_true_surface(workspace, poses):
    """The position of a depth in COLMAP's fusion: half a pixel is 1.8 mm here, and would be detected."""
    model = pycolmap.Reconstruction(workspace.dense / "sparse")
    faces = box_scene()
    names = []
    for image_id in sorted(model.reg_image_ids()):
        image = model.image(image_id)
        camera = model.camera(image.camera_id)
        pose = poses[int(image.name.split("_")[-1].split(".")[0])]
        image.frame.set_cam_from_world(image.camera_id, pycolmap.Rigid3d(pose))
        size = (camera.width, camera.height)
        intrinsics = scaled_intrinsics(INTRINSICS, size[0] / WIDTH, size[1] / HEIGHT)
        camera.params = [intrinsics[0, 0], intrinsics[1, 1], intrinsics[0, 2], intrinsics[1, 2]]
        true = depth(faces, pose, 0.0, intrinsics, size)
        w = torch.from_numpy(np.divide(1, true, out=np.zeros_like(true), where=true > 0)).float()
        normal = normals(w, w.roll(-1, 1) - w, w.roll(-1, 0) - w, torch.tensor(intrinsics)).numpy()
        write_maps(workspace.dense, image.name, true.astype(np.float32), normal)
        names.append(image.name)
    model.write(workspace.dense / "sparse")
    vertices = fuse(workspace.dense, names, 3, 1.0, 4.0, Progress())
    xyz = columns(vertices, "x", "y", "z")
    ground = xyz[np.abs(xyz[:, 1]) < 0.01]
    assert len(ground) > 5000
    assert np.abs(ground[:, 1]).mean() < 1e-4
