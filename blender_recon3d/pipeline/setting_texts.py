"""What the panel says of a setting, and everything in it that is translated. Standard library only."""

from __future__ import annotations

from .setting_field import Setting
from .settings import all_settings, heading_of
from .stage import STAGES, all_stages

_UNITS_SHOWN = ("px", "GB")


def label(declared: Setting) -> str:
    """The name in the panel, with its unit."""
    return f"{declared.label} ({declared.unit})" if declared.unit in _UNITS_SHOWN else declared.label


def description(declared: Setting) -> str:
    """The tooltip."""
    if declared.by_quality and not declared.choices:
        return f"{declared.help}. 0: as the quality says"
    if declared.zero:
        return f"{declared.help}. 0: {declared.zero}"
    if declared.choices and declared.other:
        return f"{declared.help}: {', '.join(declared.choices)}, or {declared.other}"
    return declared.help


def texts_of(declared: Setting) -> list[str]:
    """What is said of one setting."""
    said = [label(declared), description(declared)]
    for value, choice in declared.choices.items() if not declared.other else ():
        said += [
            choice.label if choice.label != value else "",
            choice.help,
        ]  # a name of COLMAP's is not a word
    return said


def translation_keys() -> list[str]:
    """All texts of the settings, each once, in the order of the settings."""
    said = [*(stage.title for stage in all_stages()), *(heading_of(stage) for stage in STAGES)]
    for declared in all_settings():
        said += texts_of(declared)
    return list(dict.fromkeys(text for text in said if text))
