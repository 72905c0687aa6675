"""The engine's settings as Blender's properties."""

import dataclasses
import json
from typing import ClassVar

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d import engine_properties  # noqa: E402
from blender_recon3d.pipeline.setting_field import Choice, Settings, setting, settings_of  # noqa: E402
from blender_recon3d.pipeline.settings import JobSettings, all_settings, by_option  # noqa: E402
from blender_recon3d.pipeline.settings_file import read_settings  # noqa: E402


def other_value(declared, folder):
    """An allowed value other than the default."""
    if declared.choices:
        return list(declared.choices)[-1]
    if isinstance(declared.default, bool):
        return not declared.default
    if isinstance(declared.default, int | float):
        return min(declared.default + 1, declared.high or 10**6)
    return str(folder) if declared.path else "1,2,3,4"


def test_untouched_settings_are_left_to_the_engine(addon):
    advanced = bpy.context.scene.recon3d.advanced
    assert engine_properties.chosen_options(advanced) == {}
    advanced.min_views = advanced.min_views
    assert engine_properties.chosen_options(advanced) == {}  # set, and to its default


def test_every_setting_is_in_the_panel_and_reaches_the_engine_or_says_why_not(addon, tmp_path):
    advanced = bpy.context.scene.recon3d.advanced
    wanted = {}
    for option, (declared, *_) in by_option().items():
        assert declared.not_in_panel or option in {
            name for group in engine_properties.GROUPS.values() for name in group
        }
        if not declared.not_in_panel:
            wanted[option] = other_value(declared, tmp_path)
            setattr(advanced, option, wanted[option])
    document = engine_properties.settings_document("high", "mesh", engine_properties.chosen_options(advanced))
    (tmp_path / "settings.json").write_text(json.dumps(document))
    given = read_settings(tmp_path / "settings.json")
    job = JobSettings.from_values(given.values, given.quality, given.until)
    for declared in all_settings():
        if declared.option in wanted:
            assert getattr(getattr(job, declared.stage), declared.name) == wanted[declared.option], (
                declared.key
            )


def test_ranges_defaults_and_tooltips_are_the_engines(addon):
    kind = bpy.context.scene.recon3d.advanced.bl_rna.properties
    for option in (name for group in engine_properties.GROUPS.values() for name in group):
        declared, prop = by_option()[option][0], kind[option]
        assert prop.name.startswith(declared.label) and prop.description.startswith(declared.help)
        follows = declared.by_quality and not declared.choices
        assert prop.default == (0 if follows else pytest.approx(declared.default))
        if prop.type in ("INT", "FLOAT"):
            assert prop.hard_min == (0 if declared.by_quality else pytest.approx(declared.low or 0))
        if prop.type == "ENUM":
            assert [item.identifier for item in prop.enum_items] == list(declared.choices)


def test_declaring_a_setting_is_enough_for_a_property(addon):
    @dataclasses.dataclass(frozen=True)
    class Made(Settings):
        stage: ClassVar[str] = "made"
        glow: float = setting(0.5, "How much it glows", "Glow", low=0.0, high=2.0)
        way: str = setting("up", "Where it goes", "Way", choices={"up": Choice("Up"), "down": Choice("Down")})

    group = type(
        "RECON3D_PG_made",
        (bpy.types.PropertyGroup,),
        {
            "__annotations__": {
                declared.option: engine_properties.blender_property(declared)
                for declared in settings_of(Made)
            }
        },
    )
    bpy.utils.register_class(group)
    try:
        glow, way = (group.bl_rna.properties[name] for name in ("glow", "way"))
        assert (glow.name, glow.description, glow.hard_max) == ("Glow", "How much it glows", 2.0)
        assert [item.name for item in way.enum_items] == ["Up", "Down"]
    finally:
        bpy.utils.unregister_class(group)


def test_a_file_of_0_1_0_keeps_its_settings(addon, tmp_path):
    """Under their names and types of that time."""
    import blender_recon3d

    blender_recon3d.unregister()
    items = [(name, name, "") for name in ("auto", "exhaustive", "sequential", "retrieval")]
    methods = [(name, name, "") for name in ("auto", "colmap", "torch")]
    old = type("RECON3D_PG_advanced", (bpy.types.PropertyGroup,), {"__annotations__": {
        "faces": bpy.props.IntProperty(), "neighbours": bpy.props.IntProperty(), "min_views": bpy.props.IntProperty(),
        "pairs": bpy.props.EnumProperty(items=items), "dense": bpy.props.EnumProperty(items=methods),
    }})  # fmt: skip
    outer = type("RECON3D_PG_settings", (bpy.types.PropertyGroup,), {
        "__annotations__": {"advanced": bpy.props.PointerProperty(type=old)}
    })  # fmt: skip
    bpy.utils.register_class(old)
    bpy.utils.register_class(outer)
    bpy.types.Scene.recon3d = bpy.props.PointerProperty(type=outer)
    held = bpy.context.scene.recon3d.advanced
    held.faces, held.neighbours, held.min_views, held.pairs, held.dense = 5000, 7, 4, "sequential", "torch"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "old.blend"))
    del bpy.types.Scene.recon3d
    bpy.utils.unregister_class(outer)
    bpy.utils.unregister_class(old)

    blender_recon3d.register()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "old.blend"))
    assert engine_properties.chosen_options(bpy.context.scene.recon3d.advanced) == {
        "max_faces": 5000, "neighbors": 7, "min_views": 4, "pairs": "sequential", "dense_method": "torch"
    }  # fmt: skip
    bpy.context.scene.recon3d.advanced.max_faces = 6000
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "old.blend"))
    assert bpy.context.scene.recon3d.advanced.max_faces == 6000
