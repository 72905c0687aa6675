"""What `recon3d inspect` says about photos before anything is computed."""

import json

import cv2
import numpy as np
import pytest

from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.files.atomic_files import write_json
from blender_recon3d.pipeline.inspection import describe, disk_advice, inspect_photos, memory_advice
from blender_recon3d.pipeline.job_forecast import forecast_job, memory, number_of_pairs, shrunk, total
from blender_recon3d.pipeline.job_progress import JobProgress
from blender_recon3d.pipeline.job_timing import JobTiming
from blender_recon3d.pipeline.photos.photo_sources import write_sources
from blender_recon3d.pipeline.settings import QUALITIES, JobSettings
from blender_recon3d.pipeline.stage import STAGES
from blender_recon3d.pipeline.stage_settings import PhotosSettings
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.engine import recon3d
from tests.support.scenes import noise_texture


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(5):
        cv2.imwrite(str(folder / f"IMG_{number}.png"), noise_texture(number, 512)[:320, :480])
    cv2.imwrite(str(folder / "IMG_5.png"), noise_texture(9, 512)[:480, :320])  # upright: another camera
    (folder / "IMG_6.jpg").write_bytes(b"")
    (folder / "IMG_7.png").write_bytes((folder / "IMG_0.png").read_bytes())
    return folder


def test_what_is_new_and_gone_since_the_last_run(photos, tmp_path):
    workspace, settings = Workspace(tmp_path / "out"), JobSettings.build(photos=photos, features="sift")
    workspace.create()
    write_sources(workspace, settings.of(PhotosSettings), Progress())

    def said() -> str:
        return " ".join(inspect_photos(settings, Progress(), workspace.root).advice)

    assert "last run" not in said()
    (photos / "IMG_2.png").unlink()
    for number in (8, 9):
        cv2.imwrite(str(photos / f"IMG_{number}.png"), noise_texture(number, 512)[:320, :480])
    assert "2 photos are new (IMG_8.png, IMG_9.png) and 1 photo is gone (IMG_2.png)" in said()


def test_everything_is_reported_at_once_and_nothing_is_written(photos, tmp_path):
    events = []
    settings = JobSettings.build(photos=photos, features="sift")
    found = inspect_photos(settings, Progress(events.append), tmp_path / "out")
    assert events[0].message == "8 photos"  # before any photo has been read
    assert (found.photos, found.used) == (8, 6)
    reasons = {item.photo.rpartition("/")[2]: item.reason for item in found.set_aside}
    assert set(reasons) == {"IMG_6.jpg", "IMG_7.png"} and "IMG_0" in reasons["IMG_7.png"]
    assert [(c.photos, c.width, c.height) for c in found.cameras] == [
        (5, 480, 320),
        (1, 320, 480),
    ]
    assert any("30 to 60" in sentence for sentence in found.advice)
    assert not (tmp_path / "out").exists()
    assert "IMG_6.jpg: the file is empty" in describe(found)


def test_more_quality_takes_longer(photos, tmp_path):
    for number in range(20):
        cv2.imwrite(
            str(photos / f"L{number}.jpg"),
            np.random.default_rng(number).integers(0, 255, (1200, 1600), np.uint8),
        )
    found = inspect_photos(JobSettings.build(photos=photos, features="sift"), Progress(), tmp_path)
    for until in ("dense", "texture"):
        totals = [total(found.forecasts[quality].seconds, until) for quality in QUALITIES]
        assert 0 < totals[0] < totals[1] < totals[2]
    assert set(found.forecasts["medium"].seconds) == set(STAGES)
    assert all(found.forecasts[quality].memory > 2**30 for quality in QUALITIES)


def test_the_command_answers_in_events(photos, tmp_path):
    result = recon3d("inspect", photos, "-o", tmp_path / "out", "--json")
    assert result.returncode == 0, result.stderr
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert events[-1]["kind"] == "done" and events[-1]["data"]["used"] == 6
    assert {"progress", "info", "done"} == {event["kind"] for event in events}


def test_a_folder_without_photos_is_reported(tmp_path):
    with pytest.raises(UserError, match="No photos were found"):
        inspect_photos(JobSettings.build(photos=tmp_path, features="sift"), Progress(), tmp_path / "out")


def test_pairs_and_sizes_are_those_of_the_stages():
    job = JobSettings.build(photos="x", features="sift")
    assert number_of_pairs(41, job) == 41 * 40 // 2  # exhaustive up to this number
    assert number_of_pairs(100, job) == 1400  # two photos are often each other's neighbors
    assert shrunk((4000, 3000), 1000) == (1000, 750) and shrunk((400, 300), 1000) == (400, 300)


def test_fusion_of_many_photos_needs_memory_up_to_its_limit():
    job = JobSettings.build("preview", photos="x", features="sift", device="cpu", memory=4)
    needed = [
        memory(forecast_job([(640, 480)] * count, job, unit=3.0), "dense") / 2**30
        for count in (30, 150, 3000)
    ]
    assert needed[0] < needed[1] < needed[2] == 4


def test_a_machine_with_too_little_memory_is_told_beforehand(photos, tmp_path, monkeypatch):
    assert memory_advice(4 << 30, 8.0, [(480, 320)]) == []
    assert "4.0 GB" in memory_advice(4 << 30, 2.0, [(12000, 8000)])[0]
    monkeypatch.setattr("blender_recon3d.pipeline.inspection.memory_gb", lambda: (0.5, 0.2))
    found = inspect_photos(JobSettings.build(photos=photos, features="sift"), Progress(), tmp_path / "w")
    assert any("the machine has 0.5 GB" in sentence for sentence in found.advice)


def test_a_job_that_does_not_fit_on_the_disk_is_told_in_advance():
    assert disk_advice(4 << 30, 8 << 30, "mesh") == disk_advice(4 << 30, 1 << 30, "sfm") == []
    (sentence,) = disk_advice(4 << 30, 1 << 30, "dense")
    assert "4.0 GB of disk and 1.0 GB are free" in sentence


def test_a_run_says_so_too_before_it_writes_them(tmp_path, monkeypatch):
    workspace, told = Workspace(tmp_path), []
    photos = [
        {"name": f"{n}.jpg", "source": f"/{n}.jpg", "state": "used", "width": 400, "height": 300}
        for n in (1, 2)
    ]
    write_json(workspace.photos, {"version": 1, "photos": photos})
    settings = JobSettings.build("preview", features="sift", device="cpu")
    monkeypatch.setattr("blender_recon3d.pipeline.files.full_disk.free_bytes", lambda path: 1 << 20)
    JobTiming(workspace, settings, ("photos", "dense"), Progress(told.append)).tell("dense")
    assert [event.kind for event in told if "GB of disk" in event.message] == ["warning"]


def test_the_time_left_counts_only_photos_with_cameras_once_they_are_known(tmp_path, monkeypatch):
    monkeypatch.setenv("RECON3D_CACHE", str(tmp_path / "cache"))  # not this machine's earlier runs
    workspace, told = Workspace(tmp_path / "w"), []
    workspace.create()
    names = [f"{n}.jpg" for n in range(20)]
    entries = [
        {"name": name, "source": f"/{name}", "state": "used", "width": 1200, "height": 900} for name in names
    ]
    write_json(workspace.photos, {"version": 1, "photos": entries})
    settings = JobSettings.build("preview", features="sift", device="cpu", until="texture")
    job = ("photos", "features", "sfm", "refine", "dense", "mesh")
    timing = JobTiming(workspace, settings, job, Progress(told.append).for_stage("job"))
    for name in job[1:3]:
        timing.tell(name)
    placed = {name: {"state": "registered", "model": 0} for name in names[:5]}
    lost = {name: {"state": "not registered", "reason": "it is too far away"} for name in names[5:]}
    write_json(workspace.registration, {"version": 1, "photos": {**placed, **lost}})
    for name in job[3:]:
        timing.tell(name)
    first, second = (event.data["forecast"] for event in told if event.message == "forecast")
    assert list(second) == ["refine", "dense", "mesh"]
    assert second["dense"] < 0.5 * first["dense"]
    progress = JobProgress()
    for event in told:
        progress = progress.after(event)
    assert progress.forecast == {**first, **second}
