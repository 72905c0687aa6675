"""The engine's settings as Blender's properties."""

import dataclasses
import json
import re
from typing import ClassVar

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d import engine_properties  # noqa: E402
from blender_recon3d.engine_properties import switch_name  # noqa: E402
from blender_recon3d.jobs import presets  # noqa: E402
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


def test_a_number_that_is_chosen_automatically_says_auto_instead_of_0(addon, tmp_path):
    """Every such setting has a switch in the panel, and "auto" means the same in a file."""
    scene = bpy.context.scene
    advanced = scene.recon3d.advanced
    automatic = [declared for _, (declared, *_) in by_option().items() if declared.may_be_auto]
    assert {"max_faces", "max_keypoints", "texture_tiles"} <= {declared.option for declared in automatic}
    for declared in automatic:
        switch = switch_name(declared.option)
        assert "Auto: " in advanced.bl_rna.properties[declared.option].description
        setattr(advanced, switch, True)
        assert getattr(advanced, declared.option) > 0 and getattr(advanced, switch)
        assert declared.problem(declared.typed(getattr(advanced, declared.option))) == "", declared.key
        setattr(advanced, switch, False)
        assert getattr(advanced, declared.option) == 0 and not getattr(advanced, switch)
    scene.recon3d.quality = "high"
    advanced.set_max_faces = True
    assert advanced.max_faces == engine_properties.size_used(scene, "max_faces") == 1_000_000
    document = {"quality": "high"}
    for declared in automatic:
        document.setdefault(declared.stage, {})[declared.name] = "auto"
    (tmp_path / "auto.json").write_text(json.dumps(document))
    given = read_settings(tmp_path / "auto.json")
    job = JobSettings.from_values(given.values, given.quality)
    assert job == JobSettings.build("high", texture_tiles=0)
    presets.apply_preset(scene, tmp_path / "auto.json")
    assert [d.option for d in automatic if getattr(advanced, d.option) != 0] == []


def test_no_tooltip_calls_an_automatic_value_0(addon):
    kinds = [getattr(bpy.ops.recon3d, name).get_rna_type() for name in dir(bpy.ops.recon3d)]
    shown = [item.description for kind in (*kinds, bpy.context.scene.recon3d.advanced.bl_rna)
             for item in kind.properties]  # fmt: skip
    assert [text for text in shown if re.search(r"\b0: (auto|set by|as the quality|from)", text)] == []
