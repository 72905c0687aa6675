"""The engine's settings as Blender properties, generated from their declarations (pipeline/stage_settings.py)."""

# No `from __future__ import annotations`: Blender reads properties from annotations, which must not be strings.

from typing import Any

import bpy

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

    A size that depends on the quality is 0 until the user sets it.
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


class RECON3D_PG_advanced(bpy.types.PropertyGroup):
    __annotations__ = {option: blender_property(declared) for option, declared in _SETTINGS.items()}


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
