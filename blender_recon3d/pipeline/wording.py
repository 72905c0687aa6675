"""Sentences that name settings and actions, so that each user interface can use its own words. Standard library only.

    raise UserError(Sentence("No surface could be built: ", use("region", "all"), ", or take more photos."))

The text of a `Sentence` is worded for a terminal ("use --region all"), as are logs and files. From its parts the panel
makes its own wording ("set Region to All": `languages/panel_wording.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .text import LONGEST_TEXT, printable

# kind of a part: the terminal's words. name: a setting's option, or a stage; value: of the setting, or a path.
_TERMINAL: Mapping[str, Callable[[str, str], str]] = {
    "option": lambda name, value: _option(name),
    "use": lambda name, value: f"use {_option(name)}" + (f" {value}" if value else ""),
    "with": lambda name, value: f"with {_option(name)}" + (f" {value}" if value else ""),
    "leave out": lambda name, value: f"leave {_option(name)} out",
    "run stage": lambda name, value: f"run recon3d {name}" + (f" {value} first" if value else " again"),
    "resume": lambda name, value: "run the same command again",
    "start over": lambda name, value: "run again with --fresh",
    "new job": lambda name, value: "start again with recon3d run",
    "place again": lambda name, value: f"place it again with recon3d place {value}",
    "other folder": lambda name, value: "choose another folder with -o",
    "check engine": lambda name, value: "run recon3d doctor",
    "check settings file": lambda name, value: "check --settings",
    "measure": lambda name, value: "use --marker-size or --scale",
    "list settings": lambda name, value: "recon3d run --help lists what there is",
    "terminal only": lambda name, value: value,
}
KINDS = tuple(_TERMINAL)


@dataclass(frozen=True)
class Part:
    """An advised action, of one of KINDS, with the setting or stage it concerns."""

    kind: str
    name: str = ""
    value: str = ""

    def __str__(self) -> str:
        return _TERMINAL[self.kind](self.name, self.value)


class Sentence(str):
    """A text made of plain texts and `Part`s, which it keeps."""

    parts: tuple[str | Part, ...]

    def __new__(cls, *parts: str | Part) -> Sentence:
        text = super().__new__(cls, "".join(str(part) for part in parts))
        text.parts = tuple(inner for part in parts for inner in parts_of(part))
        return text

    def __add__(self, other: str) -> Sentence:
        return Sentence(self, other)

    def __radd__(self, other: str) -> Sentence:
        return Sentence(other, self)


def parts_of(text: str | Part) -> tuple[str | Part, ...]:
    return text.parts if isinstance(text, Sentence) else (text,)


def option(name: str) -> Part:
    """The setting by its name: "--masks"."""
    return Part("option", name)


def use(name: str, value: str = "") -> Part:
    """ "use --region all"; without a value, for a switch."""
    return Part("use", name, value)


def with_option(name: str, value: str = "") -> Part:
    """ "with --grouping each"."""
    return Part("with", name, value)


def leave_out(name: str) -> Part:
    """ "leave --camera-params out"."""
    return Part("leave out", name)


def run_stage(name: str, workspace: object = "") -> Part:
    """ "run recon3d mesh again"; with a workspace, "run recon3d mesh OUT first"."""
    return Part("run stage", name, str(workspace))


def place_again(workspace: object) -> Part:
    return Part("place again", value=str(workspace))


def terminal_only(text: str) -> Part:
    """Something only a terminal can do; the panel leaves it out."""
    return Part("terminal only", value=text)


RESUME = Part("resume")
START_OVER = Part("start over")
NEW_JOB = Part("new job")
OTHER_FOLDER = Part("other folder")
CHECK_ENGINE = Part("check engine")
CHECK_SETTINGS_FILE = Part("check settings file")
LIST_SETTINGS = Part("list settings")
MEASURE = Part("measure")


def to_json(text: str) -> list[Any]:
    """The parts as JSON values; empty for a text without settings or actions."""
    parts = parts_of(text)
    if all(isinstance(part, str) for part in parts):
        return []
    return [part if isinstance(part, str) else [part.kind, part.name, part.value] for part in parts]


def from_json(text: str, raw: Any) -> str:
    """The sentence that `to_json` wrote next to its text; the text alone if the parts do not match it."""
    sentence = Sentence(*(_part(entry) for entry in raw)) if isinstance(raw, list) else ""
    return sentence if sentence == text else text


def printable_sentence(text: str) -> str:
    """As `printable`, but keeps the parts."""
    if not isinstance(text, Sentence) or len(text) > LONGEST_TEXT:
        return printable(text)
    return Sentence(
        *(
            printable(part)
            if isinstance(part, str)
            else Part(part.kind, printable(part.name), printable(part.value))
            for part in text.parts
        )
    )


def _part(entry: Any) -> str | Part:
    """A part read from a file, which may contain anything: an empty text if it is invalid."""
    if isinstance(entry, str):
        return entry
    if isinstance(entry, list) and len(entry) == 3 and all(isinstance(value, str) for value in entry):
        return Part(*entry) if entry[0] in _TERMINAL else ""
    return ""


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
