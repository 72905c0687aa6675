"""A workspace with the cameras of another program keeps them when Blender runs it again."""

import json

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.jobs.job_request import alignment_options, kept_alignment  # noqa: E402
from blender_recon3d.pipeline.settings import JobSettings  # noqa: E402


def test_the_cameras_of_a_project_are_kept(tmp_path):
    assert kept_alignment(tmp_path) == {}
    options = alignment_options("/p/cameras.xml")
    job = JobSettings.build(photos="/p", features="sift", **options)
    (tmp_path / "job.json").write_text(json.dumps(job.to_json()))
    assert kept_alignment(tmp_path) == options
    (tmp_path / "job.json").write_text("{")
    assert kept_alignment(tmp_path) == {}


def test_a_project_that_is_not_there_is_reported(addon, engine_python, monkeypatch, tmp_path):
    monkeypatch.setenv("RECON3D_PYTHON", str(engine_python))
    (tmp_path / "photos").mkdir()
    bpy.context.scene.recon3d.photos = str(tmp_path / "photos")
    with pytest.raises(RuntimeError, match=r"cameras\.xml does not exist"):
        bpy.ops.recon3d.import_alignment(filepath=str(tmp_path / "cameras.xml"))
