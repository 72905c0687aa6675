"""COLMAP's two mappers: both find the same cameras, and which of them is used."""

import numpy as np
import pytest

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.colmap.database import keep_pairs
from blender_recon3d.pipeline.colmap.other_cameras import write_with_cameras
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.sfm import mappers
from blender_recon3d.pipeline.sfm.attempts import Attempts
from blender_recon3d.pipeline.sfm.live_model import LiveModel
from blender_recon3d.pipeline.sfm.mappers import Mapper, connected_photos
from blender_recon3d.pipeline.sfm.mapping import find_cameras
from blender_recon3d.pipeline.stage_settings import SfmSettings


def off_truth(model, poses) -> float:
    """The largest distance of a camera from its true place, meters."""
    ours = {model.image(i).name: model.image(i).projection_center() for i in model.reg_image_ids()}
    assert len(ours) == len(poses)
    truth = np.array([-pose[:, :3].T @ pose[:, 3] for pose in poses])
    found = np.array([ours[name] for name in sorted(ours)])
    transform = pycolmap.estimate_sim3d(found, truth)
    return float(np.linalg.norm([transform * center for center in found] - truth, axis=1).max())


def scratch(folder, name):
    (folder / name).mkdir()
    return folder / name


@pytest.mark.parametrize("mapper", ["incremental", "global"])
def test_both_find_the_same_cameras(workspace, poses, tmp_path, mapper):
    made = Mapper(workspace, SfmSettings(mapper=mapper), tmp_path, Progress())
    (model, *_) = made(workspace.database)
    assert made.used == mapper
    assert off_truth(model, poses) < 0.003  # on a ring of 2 m


@pytest.mark.parametrize(("from_photos", "used"), [(8, "global"), (9, "incremental")])
def test_their_number_decides_and_that_is_said(workspace, monkeypatch, from_photos, used):
    monkeypatch.setattr(mappers, "GLOBAL_FROM", from_photos)
    said: list = []
    summary = find_cameras(workspace, SfmSettings(), Progress(said.append))
    assert summary["mapper"] == used and summary["photos"] == 8
    assert ("global mapper" in summary["message"]) == (used == "global")
    assert any("--mapper incremental" in event.message for event in said) == (used == "global")


def test_snapshots_that_a_killed_run_left_are_removed(workspace, monkeypatch):
    """Also the one it was writing, and also by a run that is too short to write any."""
    monkeypatch.setattr(LiveModel, "publish", lambda _: None)
    left = (workspace.live, workspace.live.with_name("live.part"))
    for folder in left:
        folder.mkdir()
        (folder / "points.ply").write_text("torn")
    find_cameras(workspace, SfmSettings(), Progress())
    assert not any(folder.exists() for folder in left)


def test_the_incremental_mapper_takes_over_from_a_global_one_that_fails(workspace, monkeypatch, tmp_path):
    def fail(*_):
        raise UserError("COLMAP's global mapper failed (signal 6).")

    monkeypatch.setattr(mappers, "GLOBAL_FROM", 8)
    monkeypatch.setattr(mappers, "run_in_child", fail)
    said: list = []
    made = Mapper(workspace, SfmSettings(), scratch(tmp_path, "auto"), Progress(said.append))
    assert made(workspace.database)[0].num_reg_images() == 8 and made.used == "incremental"
    assert any("signal 6" in event.message for event in said)
    with pytest.raises(UserError):  # asked for by name
        Mapper(workspace, SfmSettings(mapper="global"), scratch(tmp_path, "named"), Progress())(
            workspace.database
        )


def test_a_global_model_that_leaves_photos_out_is_compared(workspace, monkeypatch, tmp_path):
    """The one with more photos is used, and the global one if they have the same."""
    monkeypatch.setattr(mappers, "GLOBAL_FROM", 8)
    monkeypatch.setattr(mappers, "MIN_SHARE", 1.1)
    said: list = []
    made = Mapper(workspace, SfmSettings(), tmp_path, Progress(said.append))
    made(workspace.database)
    assert made.used == "global" and any("placed 8 of 8" in event.message for event in said)

    run = mappers.run_in_child

    def without_one(database, images, output, options, progress):
        run(database, images, output, options, progress)
        for folder in output.iterdir():
            model = pycolmap.Reconstruction(folder)
            model.deregister_frame(model.image(max(model.reg_image_ids())).frame_id)
            model.write(folder)

    monkeypatch.setattr(mappers, "run_in_child", without_one)
    made = Mapper(workspace, SfmSettings(), scratch(tmp_path, "again"), Progress())
    assert made(workspace.database)[0].num_reg_images() == 8 and made.used == "incremental"


def test_photos_count_as_connected_only_through_verified_pairs(workspace, tmp_path):
    assert connected_photos(workspace.database) == 8
    attempts = Attempts(workspace.database, tmp_path, lambda path: [], Progress(), [], [])
    path = tmp_path / "cut.db"
    write_with_cameras(workspace.database, path, attempts.cameras, attempts.camera_of)
    first, second, third, *_ = sorted(attempts.names)
    keep_pairs(path, {(first, second), (second, third)})
    assert connected_photos(path) == 3
