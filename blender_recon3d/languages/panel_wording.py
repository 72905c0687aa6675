"""Reword the engine's messages for the panel: settings by their labels, and buttons instead of commands. No bpy.

A message has parts with their meaning (`pipeline/wording.py`). Labels come from the settings' declarations
(`pipeline/stage_settings.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..pipeline.setting_field import Setting
from ..pipeline.settings import by_option
from ..pipeline.wording import Part, parts_of


def in_panel(text: str) -> str:
    """A message from the engine in the panel's wording; plain text is unchanged."""
    return "".join(part if isinstance(part, str) else _worded(part) for part in parts_of(text))


def _worded(part: Part) -> str:
    try:
        return _PANEL[part.kind](part)
    except KeyError:  # a setting of another version, from a file
        return str(part)


def _setting(part: Part) -> Setting:
    return by_option()[part.name][0]


def _shown(part: Part) -> str:
    """The setting's value as the panel shows it."""
    choice = _setting(part).choices.get(part.value)
    return choice.label if choice else part.value


def _use(part: Part) -> str:
    label = _setting(part).label
    return f"set {label} to {_shown(part)}" if part.value else f"switch {label} on"


def _with(part: Part) -> str:
    label = _setting(part).label
    return f"with {label} set to {_shown(part)}" if part.value else f"with {label}"


_PANEL: Mapping[str, Callable[[Part], str]] = {
    "option": lambda part: _setting(part).label,
    "use": _use,
    "with": _with,
    "leave out": lambda part: f"leave {_setting(part).label} at its default",
    "run stage": lambda part: "press Reconstruct again",
    "resume": lambda part: "press Resume",
    "start over": lambda part: "choose a new results folder",
    "new job": lambda part: "choose another results folder",
    "place again": lambda part: "orient and scale it again",
    "other folder": lambda part: "choose another results folder",
    "check engine": lambda part: "press Check Engine",
    "check settings file": lambda part: "check it",
    "measure": lambda part: "use Markers or Scale from 2 Points",
    "list settings": lambda part: "see Advanced",
    "terminal only": lambda part: "",
}
