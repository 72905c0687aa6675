"""Every setting of the engine can be set on the command line, and what is set there arrives."""

from __future__ import annotations

import dataclasses

import pytest

from blender_recon3d.pipeline.cli.recon3d import _parser, job_settings, setting_names
from blender_recon3d.pipeline.settings import SIZE_OPTIONS, STAGES, JobSettings
from blender_recon3d.pipeline.workspace import Workspace

# Fields that are not options: what is reconstructed is an argument, and sizes have names of their own by stage.
NOT_OPTIONS = {"photos", "max_size"}
# A value that is not the default, as words and as what arrives in (stage, field).
GIVEN = {
    "--window 7": ("pairs", "window", 7),
    "--max-error 2.5": ("matches", "max_error", 2.5),
    "--seed 5": ("sfm", "seed", 5),
    "--fixed-intrinsics": ("sfm", "refine_intrinsics", False),
    "--min-model-size 4": ("sfm", "min_model_size", 4),
    "--views 9": ("dense", "views", 9),
    "--memory 2": ("dense", "memory", 2.0),
    "--faces 1234": ("mesh", "max_size", 1234),
}


def test_every_setting_has_an_option():
    fields = {field.name for stage in STAGES for field in dataclasses.fields(getattr(JobSettings(), stage))}
    assert fields - NOT_OPTIONS | set(SIZE_OPTIONS.values()) | {"quality", "until"} == setting_names()


@pytest.mark.parametrize("words", GIVEN)
def test_an_option_arrives_in_its_stage(words, tmp_path):
    chosen = _parser().parse_args(["run", str(tmp_path), "-o", str(tmp_path / "out"), *words.split()])
    settings = job_settings(Workspace(tmp_path / "out"), chosen)
    stage, name, value = GIVEN[words]
    assert getattr(getattr(settings, stage), name) == value
    assert getattr(getattr(JobSettings(), stage), name) != value
