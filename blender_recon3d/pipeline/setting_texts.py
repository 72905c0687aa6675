"""The panel's texts for settings, and all of their texts to translate. Standard library only."""

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
    if declared.automatic:
        return f"{declared.help}. Auto: {declared.automatic.says}"
    if declared.may_be_auto:
        return f"{declared.help}. Auto: from Quality"
    if declared.zero:
        return f"{declared.help}. 0: {declared.zero}"
    if declared.choices and declared.other:
        return f"{declared.help}: {', '.join(declared.choices)}, or {declared.other}"
    return declared.help


def texts_of(declared: Setting) -> list[str]:
    """All texts of one setting."""
    texts = [label(declared), description(declared)]
    for value, choice in declared.choices.items() if not declared.other else ():
        texts += [
            choice.label if choice.label != value else "",
            choice.help,
        ]  # COLMAP's names are not translated
    return texts


def translation_keys() -> list[str]:
    """All texts of the settings, without duplicates, in the order of the settings."""
    texts = [*(stage.title for stage in all_stages()), *(heading_of(stage) for stage in STAGES)]
    for declared in all_settings():
        texts += texts_of(declared)
    return list(dict.fromkeys(text for text in texts if text))
