"""Settings: checked when made, kept exactly in job.json, changed by flat options."""

import json
from pathlib import Path

import pytest

from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.settings_file import job_of
from blender_recon3d.pipeline.stage import STAGES


def test_a_job_survives_json():
    job = JobSettings.build(quality="high", photos=("a b", "ü"), neighbors=7, match_threshold=0.3)
    assert job_of(json.loads(json.dumps(job.to_json())), Path("job.json")) == job


def test_one_path_is_one_path_and_not_its_letters():
    for given in ("a b", Path("a b")):
        assert JobSettings.build(photos=given).photos.sources == ("a b",)


def test_quality_sets_sizes_and_a_given_size_stays():
    assert JobSettings.build(quality="preview").dense.max_size == 640
    job = JobSettings.build(quality="preview", dense_size=700)
    assert job.dense.max_size == 700
    assert job.changed(quality="high").dense.max_size == 700
    assert job.changed(quality="high").features.max_size == 3200


def test_an_option_reaches_every_stage_that_has_it():
    job = JobSettings.build(device="cpu", features="sift")
    assert {getattr(job, stage).device for stage in STAGES if hasattr(getattr(job, stage), "device")} == {
        "cpu"
    }
    assert job.pairs.front_end == job.matches.front_end == job.features.front_end == "sift"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"quality": "best"}, "preview, medium, high"),
        ({"features": "surf"}, "auto, combined"),
        ({"neighbours": 0}, "from 1 to 1,000"),
        ({"colour": "red"}, "Unknown setting colour"),
        ({"match_threshold": 1.5}, "from 0 to 1"),
    ],
)
def test_a_wrong_setting_is_one_message_and_exit_code_2(options, words):
    with pytest.raises(UserError, match=words) as caught:
        JobSettings.build(**options)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "change", [{"sfm": None}, {"quality": 3}, {"pairs": {"neighbours": "many"}}, {"photos": []}]
)
def test_a_truncated_job_file_is_named(change):
    raw = {**JobSettings.build().to_json(), **change}
    with pytest.raises(UserError, match=r"job\.json|quality"):
        job_of(raw, Path("job.json"))


def test_the_mesh_is_refined_at_high_quality_by_default():
    def refined(quality: str, **options: str) -> str:
        return JobSettings.build(photos="/p", quality=quality, **options).mesh.mesh_refinement

    assert [refined(quality) for quality in ("preview", "medium", "high")] == ["off", "off", "on"]
    assert refined("medium", mesh_refinement="on") == refined("high", mesh_refinement="auto") == "on"
    assert refined("high", mesh_refinement="off") == "off"
