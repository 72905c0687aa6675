"""The engine's messages in the panel's words: settings by their labels, and buttons in place of commands. No bpy.

The engine writes for a terminal ("use --region all", "run recon3d mesh OUT again"). Its log, its reports and what it
leaves in files stay so; the panel says "set Region to All" and "press Reconstruct again". Labels come from where the
settings are declared (pipeline/stage_settings.py).
"""

from __future__ import annotations

import re
from functools import cache

from ..pipeline.setting_field import Setting
from ..pipeline.settings import by_option

_AGAIN = "press Reconstruct again"
# What is not a setting; the first that fits counts.
_PHRASES = (
    (r"run the photos stage first: recon3d photos OUT", "press Reconstruct again"),
    (r"start again with recon3d run\b", "choose another results folder"),
    (r"run recon3d doctor", "press Check Engine"),
    (r"place it again with recon3d place [^\n]+", "orient and scale it again."),
    # With or without the workspace, whose path may hold anything: "run recon3d mesh /a b/out first".
    (r"run recon3d \w+(?:(?! with\b| or\b|[,;:])[^\n]+?(?= (?:again|first)\b))?(?: again| first)?", _AGAIN),
    (r"choose another output folder with -o\b", "choose another results folder"),
    (r"choose another(?: folder)? with -o\b", "choose another results folder"),
    (r"The output folder", "The results folder"),
    (r"run the same command again(?: to continue)?", "press Resume"),
    (r"running the same command again continues it", "Resume continues it"),
    (r"run again with --fresh", "choose a new results folder"),
    (r"recon3d run --help lists what there is", "see Advanced"),
    (r", or `recon3d weights fetch [^`]*`[^:;]*--weights official", ""),
    (r"(?:use|with) --weights DIR with your own", "choose your own in Weights"),
    (r"read it and run the command again with --accept-license", "read it first"),
    (r"check --settings\b", "check it"),
)
_PATTERNS = tuple((re.compile(pattern), words) for pattern, words in _PHRASES)
_OPTION = re.compile(r"(\buse |\bwith |\bleave )?--([a-z][a-z-]*)(?:[ =](\w+(?:\.\w+)*))?( out\b)?")


def in_panel(message: str) -> str:
    """A message of the engine as the panel says it; one that names no option and no command stays as it is."""
    for pattern, words in _PATTERNS:
        message = pattern.sub(words, message)
    return _OPTION.sub(_setting, message)


@cache
def _settings() -> dict[str, Setting]:
    """By the option's name, also an earlier one, with - between its words."""
    named = {name: group[0] for option, group in by_option().items() for name in (option, *group[0].was)}
    return {name.replace("_", "-"): declared for name, declared in named.items()}


def _setting(found: re.Match[str]) -> str:
    verb, option, value, out = (found.group(number) or "" for number in range(1, 5))
    declared = _settings().get(option)
    if declared is None:
        return found.group(0)
    after = f" {value}{out}" if value else out
    if verb == "leave ":
        return (
            f"leave {declared.label} at its default"
            if out or value == "out"
            else f"leave {declared.label}{after}"
        )
    choice = declared.choices.get(value)
    if choice is not None or re.fullmatch(r"\d+(?:\.\d+)?", value):
        shown = choice.label if choice is not None else value
        if verb == "with ":
            return f"with {declared.label} {shown}"
        return f"{'set ' if verb else ''}{declared.label} to {shown}"
    if isinstance(declared.default, bool) and verb == "use ":
        return f"switch {declared.label} on{after}"
    return f"{verb}{declared.label}{after}"
