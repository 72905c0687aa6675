"""The engine's settings as Blender's properties."""

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d import engine_properties  # noqa: E402
from blender_recon3d.pipeline.cli import recon3d  # noqa: E402


def options_of(words):
    """What the engine's own parser makes of the words."""
    chosen = recon3d._parser().parse_args(["run", "photos", "-o", "out", *words])
    return {
        name: value for name in recon3d.setting_names() if (value := getattr(chosen, name, None)) is not None
    }


def test_untouched_settings_are_left_to_the_engine(addon):
    settings = bpy.context.scene.recon3d.advanced
    assert engine_properties.options(settings) == []
    settings.min_views = settings.min_views
    assert engine_properties.options(settings) == []  # set, and to its default


def test_every_setting_reaches_the_engine(addon, tmp_path):
    settings = bpy.context.scene.recon3d.advanced
    wanted = {
        "masks": str(tmp_path), "grouping": "single", "camera_model": "PINHOLE", "camera_params": "1,2,3,4",
        "frames": 60, "keep_blurred": True, "features": "sift", "precision": "bf16", "max_keypoints": 1000,
        "feature_size": 1200,
        "pairs": "sequential", "neighbours": 7, "match_threshold": 0.35, "min_inliers": 20, "mapper": "global",
        "dense": "torch", "dense_size": 800, "min_views": 4, "memory": 2.5,
        "faces": 5000, "region": "all", "clean": "off", "closed": True,
        "texture_size": 1024,
    }  # fmt: skip
    assert set(wanted) == {option for _, group in engine_properties.GROUPS for option, _, _ in group}
    for name, value in wanted.items():
        setattr(settings, name, value)
    assert options_of(engine_properties.options(settings)) == wanted


def test_defaults_and_tooltips_are_the_engines(addon):
    from blender_recon3d.pipeline.settings import DenseSettings

    kind = bpy.context.scene.recon3d.advanced.bl_rna.properties
    assert kind["memory"].default == DenseSettings().memory and kind["min_views"].default == 3
    assert kind["camera_model"].default == "SIMPLE_RADIAL" and kind["keep_blurred"].default is False
    assert all(kind[option].description for _, group in engine_properties.GROUPS for option, _, _ in group)
