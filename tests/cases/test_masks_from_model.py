"""A job with masks from its model: all is computed twice, and the second time the surroundings are left out."""

import pytest

pytest.importorskip("pycolmap", reason="the engine's environment has pycolmap; Blender's has not")

from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.inspection import inspect_photos
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.masking.own_masks import read_masks
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.pictures import picture, save
from tests.support.scenes import box_scene, ring, write_capture


@pytest.mark.slow
def test_the_second_pass_uses_masks_drawn_from_the_first_model(tmp_path):
    write_capture(tmp_path / "photos", ring(14, radius=1.3, arc=5.9), box_scene())
    settings = JobSettings.build(
        photos=str(tmp_path / "photos"), features="sift", quality="preview", until="dense",
        dense_size=256, max_keypoints=2000, masks="model",
    )  # fmt: skip
    workspace, events = Workspace(tmp_path / "out"), []
    run_job(workspace, settings, Progress(events.append))
    assert any("masks were drawn from the model" in event.message for event in events)
    known = read_masks(workspace).masks
    assert len(known) == 14
    assert {entry.origin for entry in known.values()} == {"model"}
    placed = [event.message for event in events if event.stage == "sfm" and event.kind == "done"]
    assert len(placed) == 2 and all(message.startswith("14 of 14") for message in placed)
    again = []
    run_job(workspace, settings, Progress(again.append))
    assert not any(event.stage == "dense" and "points" in event.message for event in again), "all is kept"


def test_the_forecast_counts_both_passes(tmp_path):
    for number in range(4):
        save(tmp_path / f"{number}.jpg", picture(number))
    seconds = {}
    for masks in ("auto", "model"):
        for until in ("sfm", "texture"):
            settings = JobSettings.build(photos=(str(tmp_path),), masks=masks, until=until)
            found = inspect_photos(settings, Progress(), tmp_path / "out")
            seconds[masks, until] = found.forecasts["medium"].seconds
    assert seconds["model", "sfm"] == seconds["auto", "sfm"]  # without a surface there is nothing to draw
    assert seconds["model", "texture"] == {
        name: 2 * value for name, value in seconds["auto", "texture"].items()
    }
