"""Masks found in all photos together stay when photos are added, so that all the rest of these photos stays too."""

import pytest

pytest.importorskip("pycolmap", reason="the engine's environment has pycolmap; Blender's has not")

from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.masking.own_masks import read_masks
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.masked_scenes import photo_before, turntable, wall, write_photos


def run(folder, out, masks="auto"):
    events = []
    settings = JobSettings.build(
        photos=str(folder),
        until="features",
        features="sift",
        max_keypoints=200,
        feature_size=320,
        masks=masks,
    )
    run_job(Workspace(out), settings, Progress(events.append))
    workspace = Workspace(out)
    return {path.name: path.read_bytes() for path in workspace.masks.glob("*.png")}, events


def test_photos_that_stay_keep_their_masks(tmp_path):
    poses = turntable(10)
    photos = [photo_before(number, pose, wall) for number, pose in enumerate(poses)]
    write_photos(tmp_path / "in", photos)
    last = [tmp_path / "in" / f"p{number:02d}.jpg" for number in (8, 9)]
    content = [path.read_bytes() for path in last]
    for path in last:
        path.unlink()
    before, _ = run(tmp_path / "in", tmp_path / "out")
    assert len(before) == 8
    for path, each in zip(last, content, strict=True):
        path.write_bytes(each)
    after, events = run(tmp_path / "in", tmp_path / "out")
    assert len(after) == 10 and {name: after[name] for name in before} == before
    fresh, _ = run(tmp_path / "in", tmp_path / "fresh")
    assert any(fresh[name] != before[name] for name in before), "this capture does not show what is tested"
    assert {entry.origin for entry in read_masks(Workspace(tmp_path / "out")).masks.values()} == {"still"}
    assert "The features of 8 photos are kept from before." in [event.message for event in events]
