"""The engine's settings as Blender properties, generated from their declarations (pipeline/stage_settings.py)."""

# No `from __future__ import annotations`: Blender reads properties from annotations, which must not be strings.

from collections.abc import Callable
from typing import Any

import bpy

from .panel_text import tr
from .pipeline import setting_texts
from .pipeline.setting_field import Setting
from .pipeline.settings import VERSION, Values, by_option, heading_of, spread

_SETTINGS = {option: group[0] for option, group in by_option().items() if not group[0].not_in_panel}
_MAX_INT = 2**31 - 1  # Blender's largest integer


def _groups() -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for option, declared in _SETTINGS.items():
        groups.setdefault(heading_of(declared.stage), []).append(option)
    return groups


GROUPS = _groups()  # the panel's headings, and the options below each


def items_of(declared: Setting, only: tuple[str, ...] = ()) -> list[tuple[str, str, str, int]]:
    """The choices as Blender's enum items. only: restrict to these; empty for all."""
    chosen = [item for item in declared.choices.items() if not only or item[0] in only]
    return [
        (value, choice.label, choice.help, place if choice.number is None else choice.number)
        for place, (value, choice) in enumerate(chosen)
    ]


def blender_property(declared: Setting) -> Any:
    """The property of one setting: its name, tooltip, range or items, and default.

    A size that depends on the quality is 0 until the user sets it: "Auto".
    """
    common = {"name": setting_texts.label(declared), "description": setting_texts.description(declared)}
    default = 0 if declared.by_quality and not declared.choices else declared.default
    if declared.choices and not declared.other:
        return bpy.props.EnumProperty(items=items_of(declared), default=default, **common)
    if isinstance(declared.default, bool):
        return bpy.props.BoolProperty(default=default, **common)
    if isinstance(declared.default, int | float):
        low = 0 if declared.by_quality else declared.low or 0
        limits = {"min": low, "max": declared.high or _MAX_INT}
        if isinstance(declared.default, float):
            shown = 4 if 0 < default < 0.01 else 2  # digits
            return bpy.props.FloatProperty(default=default, precision=shown, **limits, **common)
        return bpy.props.IntProperty(
            default=default, **{name: int(value) for name, value in limits.items()}, **common
        )
    if declared.choices:
        suggested = list(declared.choices)
        return bpy.props.StringProperty(
            default=default,
            search=lambda holder, context, text: suggested,
            search_options={"SUGGESTION"},
            **common,
        )
    subtype = {"folder": "DIR_PATH", "file": "FILE_PATH"}.get(declared.path, "NONE")
    return bpy.props.StringProperty(default=default, subtype=subtype, **common)


def switch_name(name: str) -> str:
    """The name of the switch beside a number that is chosen automatically while it is 0: "Auto"."""
    return f"set_{name}"


def auto_switch(name: str, label: str, start: Callable[[Any], float]) -> Any:
    """The property that switches a number `name` between 0 and a value; it stores nothing itself.

    start: gives the value to begin with, from the property group or the operator.
    """

    def is_set(holder: Any) -> bool:
        return bool(getattr(holder, name) != 0)

    def switch(holder: Any, on: bool) -> None:
        if on != is_set(holder):
            setattr(holder, name, start(holder) if on else 0)

    return bpy.props.BoolProperty(
        name=label, description="Set a value; otherwise it is chosen automatically", get=is_set, set=switch
    )


def draw_number(layout: bpy.types.UILayout, holder: Any, name: str, automatic: float | None = None) -> None:
    """A number with its switch. automatic: the value that is used without one, if it is known."""
    switch = switch_name(name)
    label = tr(holder.bl_rna.properties[switch].name)
    column = layout.column(heading=label, translate=False)
    column.use_property_decorate = False
    row = column.row(align=True)
    row.prop(holder, switch, text="")
    if getattr(holder, switch):
        row.prop(holder, name, text="")
        return
    inner = row.row(align=True)
    inner.active = False
    text = tr("Auto") if automatic is None else tr("Auto ({value})", value=f"{automatic:,}")
    inner.label(text=text, translate=False)


def _quality_size(declared: Setting, scene: bpy.types.Scene) -> int | None:
    """The number that the scene's quality chooses; None for a setting that does not depend on it."""
    value = declared.by_quality.get(scene.recon3d.quality)
    return value if isinstance(value, int) else None


def _switch(declared: Setting) -> Any:
    def start(advanced: "RECON3D_PG_advanced") -> float:
        if declared.automatic:
            return declared.automatic.start
        return _quality_size(declared, advanced.id_data) or 0

    return auto_switch(declared.option, setting_texts.label(declared), start)


class RECON3D_PG_advanced(bpy.types.PropertyGroup):
    __annotations__ = {
        **{option: blender_property(declared) for option, declared in _SETTINGS.items()},
        **{
            switch_name(option): _switch(declared)
            for option, declared in _SETTINGS.items()
            if declared.may_be_auto
        },
    }


def draw_setting(layout: bpy.types.UILayout, advanced: RECON3D_PG_advanced, option: str) -> None:
    """One setting in a panel."""
    declared = _SETTINGS[option]
    if declared.may_be_auto:
        draw_number(layout, advanced, option, _quality_size(declared, advanced.id_data))
    else:
        layout.prop(advanced, option)


def size_used(scene: bpy.types.Scene, option: str) -> int:
    """The scene's number of a setting that depends on the quality."""
    return int(getattr(scene.recon3d.advanced, option) or _quality_size(_SETTINGS[option], scene))


def chosen_options(advanced: RECON3D_PG_advanced) -> dict[str, Any]:
    """All values that differ from their defaults, by option."""
    options: dict[str, Any] = {}
    for option, declared in _SETTINGS.items():
        if not advanced.is_property_set(option):
            continue
        value = getattr(advanced, option)
        if value == advanced.bl_rna.properties[option].default or value == "":
            continue
        if declared.path and value not in declared.choices:
            value = bpy.path.abspath(value)
        # Blender's floats have single precision: the shortest text is what the user typed.
        options[option] = float(f"{value:.6g}") if isinstance(value, float) else value
    return options


def settings_document(quality: str, until: str, options: dict[str, Any]) -> dict[str, Any]:
    """The content of a settings file (pipeline/settings_file.py). options: as from `chosen_options`."""
    values: Values = {stage: group for stage, group in spread(options).items() if group}
    return {"version": VERSION, "quality": quality, "until": until, **values}


def adopt_earlier_names(advanced: RECON3D_PG_advanced) -> None:
    """Convert settings that a .blend file stores under earlier names."""
    stored = dict(advanced)  # before any property is read: Blender then drops values of another type
    for option, declared in _SETTINGS.items():
        for name in (*declared.was, option):
            value = stored.get(name)
            if value is None or (name == option and not (declared.other and isinstance(value, int))):
                continue
            if declared.choices and isinstance(value, int):  # an item's number
                value = next((item[0] for item in items_of(declared) if item[3] == value), declared.default)
            setattr(advanced, option, value)
            if name != option:
                del advanced[name]
