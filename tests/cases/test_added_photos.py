"""Photos added to a finished workspace, and taken out of it: the cameras that were there stay, and so do their maps."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.colmap.database import read_pairs
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.mvs.depth_maps import map_paths
from blender_recon3d.pipeline.placing.kept_placement import poses_of
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.sfm.growing import carried_over, misfit
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.scenes import box_scene, ring, spot_texture, write_capture

LATE = ("view_10.jpg", "view_11.jpg")


@pytest.fixture(scope="module")
def capture(tmp_path_factory) -> Path:
    """all: 12 photos on an arc; out: the workspace of the first ten."""
    folder = tmp_path_factory.mktemp("added")
    write_capture(folder / "all", ring(12, arc=1.5), box_scene(texture=spot_texture))
    shutil.copytree(folder / "all", folder / "photos")
    for name in LATE:
        (folder / "photos" / name).unlink()
    run(Workspace(folder / "out"), folder / "photos")
    return folder


def run(out: Workspace, photos: Path, **settings) -> list[str]:
    """The messages of this run."""
    said: list[str] = []
    chosen = {
        "until": "dense",
        "features": "sift",
        "feature_size": 400,
        "dense_size": 160,
        "views": 3,
        "masks": "off",
    } | settings
    job = JobSettings.build(photos=str(photos), **chosen)
    run_job(out, job, Progress(lambda event: said.append(event.message)))
    return said


def copied(capture: Path, to: Path) -> tuple[Workspace, Path]:
    shutil.copytree(capture / "out", to / "out")
    shutil.copytree(capture / "photos", to / "photos")
    return Workspace(to / "out"), to / "photos"


def model_of(out: Workspace) -> pycolmap.Reconstruction:
    return pycolmap.Reconstruction(out.model)


def test_added_photos_join_the_cameras_that_are_there(capture, tmp_path):
    out, photos = copied(capture, tmp_path)
    before, placed = poses_of(model_of(out)), out.placement.read_bytes()
    far = map_paths(out.dense, "view_00.jpg")[0].read_bytes()
    pairs = set(read_pairs(out.pairs))
    for name in LATE:
        shutil.copy(capture / "all" / name, photos)
    said = run(out, photos)

    now = poses_of(model_of(out))
    assert set(now) == set(before) | set(LATE)
    assert all(np.array_equal(now[name], pose) for name, pose in before.items())
    assert out.placement.read_bytes() == placed
    assert any(text.startswith("2 photos added to 10") for text in said)
    assert pairs <= set(read_pairs(out.pairs))
    assert map_paths(out.dense, "view_00.jpg")[0].read_bytes() == far
    assert any("photos is kept from before" in text for text in said)
    for name in LATE:
        assert map_paths(out.dense, name)[0].exists()
    assert not out.earlier.exists()
    assert model_of(out).compute_mean_reprojection_error() < 0.5

    # The next run has nothing to do, and one from scratch finds the same places.
    assert sum(text == "unchanged, kept" for text in run(out, photos)) == 7
    whole = Workspace(tmp_path / "whole")
    run(whole, photos, until="refine")
    once = poses_of(model_of(whole))
    sizes = [np.linalg.norm(poses["view_00.jpg"][:, 3] - poses["view_11.jpg"][:, 3]) for poses in (now, once)]
    between = [
        np.linalg.norm(poses["view_05.jpg"][:, 3] - poses["view_10.jpg"][:, 3]) for poses in (now, once)
    ]
    assert between[0] / sizes[0] == pytest.approx(between[1] / sizes[1], rel=0.01)


def test_photos_taken_out_leave_the_other_cameras_in_place(capture, tmp_path):
    out, photos = copied(capture, tmp_path)
    before = poses_of(model_of(out))
    (photos / "view_04.jpg").unlink()
    said = run(out, photos)
    now = poses_of(model_of(out))
    assert set(now) == set(before) - {"view_04.jpg"}
    assert all(np.array_equal(pose, before[name]) for name, pose in now.items())
    assert any("1 photo is gone: 9 cameras stay" in text for text in said)
    assert not map_paths(out.dense, "view_04.jpg")[0].exists()


def test_other_settings_do_not_continue_the_earlier_model(capture, tmp_path):
    out, photos = copied(capture, tmp_path)
    shutil.copy(capture / "all" / LATE[0], photos)
    said = run(out, photos, until="sfm", max_error=3.0)
    assert not any("added to" in text or "stay as they are" in text for text in said)
    assert len(poses_of(model_of(out))) == 11


def test_photos_that_do_not_fit_are_told_from_those_that_do(capture):
    out = Workspace(capture / "out")
    names = {name: name for name in poses_of(model_of(out))}
    model, stayed = carried_over(model_of(out), names, out.database)
    assert len(stayed) == 10 and model.num_points3D() == model_of(out).num_points3D()
    assert misfit(model, {"view_09.jpg"}, out.database) < 2
    frame = model.frame(model.find_image_with_name("view_09.jpg").frame_id)
    frame.rig_from_world = (
        pycolmap.Rigid3d(pycolmap.Rotation3d([0.005, 0, 0]), [0, 0, 0]) * frame.rig_from_world
    )
    assert misfit(model, {"view_09.jpg"}, out.database) > 2
