"""Presets are files of settings that the panel and the command line share."""

import json

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.jobs import presets  # noqa: E402
from blender_recon3d.pipeline.paths import PRESETS  # noqa: E402
from blender_recon3d.pipeline.settings_file import read_settings  # noqa: E402


def test_the_add_ons_presets_are_settings_files(addon):
    names = [path.stem for path in presets.presets()]
    assert names == ["Drone", "Quick Look", "Turntable", "Video", "Walk-Around"]
    for path in presets.presets():
        assert read_settings(path).until == "texture"
        assert bpy.ops.recon3d.apply_preset(filepath=str(path)) == {"FINISHED"}


def test_what_is_saved_comes_back_and_the_rest_is_automatic(addon, tmp_path):
    settings = bpy.context.scene.recon3d
    settings.quality, settings.until, settings.advanced.frames = "high", "dense", 77
    assert bpy.ops.recon3d.save_preset(filepath=str(tmp_path / "mine")) == {"FINISHED"}
    assert json.loads((tmp_path / "mine.json").read_text())["photos"] == {"frames": 77}
    bpy.ops.recon3d.apply_preset(filepath=str(PRESETS / "Drone.json"))
    assert (settings.quality, settings.until) == ("medium", "texture")
    assert settings.advanced.region == "all" and not settings.advanced.is_property_set("frames")
    bpy.ops.recon3d.apply_preset(filepath=str(tmp_path / "mine.json"))
    assert (settings.quality, settings.until, settings.advanced.frames) == ("high", "dense", 77)
    assert not settings.advanced.is_property_set("region")


def test_an_invalid_file_is_reported_and_changes_nothing(addon, tmp_path):
    (tmp_path / "a.json").write_text('{"version": 1, "quality": "best"}')
    settings = bpy.context.scene.recon3d
    with pytest.raises(RuntimeError, match="quality"):
        bpy.ops.recon3d.apply_preset(filepath=str(tmp_path / "a.json"))
    assert settings.quality == "medium"
