"""A setting, declared once: a dataclass field that holds everything about it.

From it come the option of the command line (`cli/setting_options.py`), the property in Blender
(`engine_properties.py`), the key in a settings file (`settings_file.py`), the texts to translate, and its row in the
manual (`tools/settings_page.py`). Standard library only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, NamedTuple

from .errors import UserError

KEY = "setting"  # in a field's metadata
FOLLOW_QUALITY = "auto"  # the value of a choice that the quality decides
AUTO = "auto"  # what users write for a number that is chosen automatically; see `Automatic`


class Choice(NamedTuple):
    """One of a setting's values. label: its name in the panel; help: its tooltip.

    number: what a .blend file stores for it; by default its index, so add new choices at the end, or number them.
    """

    label: str
    help: str = ""
    number: int | None = None


class Automatic(NamedTuple):
    """How a number is chosen where its value is 0, which users write and see as AUTO.

    says: what it is then, for help texts; start: what the panel offers to someone who sets it.
    """

    says: str
    start: float


@dataclass(frozen=True)
class Setting:
    """Everything about a setting.

    help: one sentence, without a period. unit: of a number. low, high: the range, inclusive.
    choices: the values, in order. other: what else is accepted, besides the choices ("a folder").
    zero: what 0 means, if it means something special; automatic: the same if it means that the value is chosen
    automatically. by_quality: each quality's value, used when none or AUTO is given.
    path: "file" or "folder", if a text may name one. option: its name on the command line and in the panel, if it
    differs from the field's; stages that share a setting give it the same one. was: earlier names, which remain
    accepted. off: an option that turns a switch off, besides --no-NAME. first_name: its name in workspaces of 0.1.0,
    which fingerprints use. later: it was added after 0.1.0, and is not part of a fingerprint while it has its default.
    not_in_panel, no_option: why it is not among the panel's settings, or not an option; a short sentence. name, stage:
    filled in by `settings_of`.
    """

    default: Any
    help: str
    label: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: Mapping[str, Choice] = field(default_factory=dict)
    other: str = ""
    zero: str = ""
    automatic: Automatic | None = None
    by_quality: Mapping[str, int | str] = field(default_factory=dict)
    path: str = ""
    option: str = ""
    was: tuple[str, ...] = ()
    off: str = ""
    first_name: str = ""
    later: bool = False
    not_in_panel: str = ""
    no_option: str = ""
    name: str = ""
    stage: str = ""

    @property
    def key(self) -> str:
        """Its full name, as in messages: stage.name, or the name alone for a setting of the whole job."""
        return f"{self.stage}.{self.name}" if self.stage else self.name

    @property
    def names(self) -> frozenset[str]:
        """All its accepted names, in settings files and as keywords."""
        return frozenset({self.name, self.option, self.first_name or self.name, *self.was})

    @property
    def range(self) -> str:
        """ "from 1 to 1000", "at least 64"; empty if any number is accepted."""
        if self.low is None and self.high is None:
            return ""
        if self.high is None:
            return f"at least {_number(self.low or 0)}"
        return f"from {_number(self.low or 0)} to {_number(self.high)}"

    @property
    def may_be_auto(self) -> bool:
        """Whether AUTO is accepted instead of a number."""
        return self.automatic is not None or bool(self.by_quality and not self.choices)

    @property
    def before(self) -> Any:
        """For a setting added `later`: the value that matches what was done before."""
        return "off" if self.default == FOLLOW_QUALITY else self.default

    @property
    def sizes(self) -> str:
        """ "preview 1,600, medium 2,400": each quality's value."""
        shown = {
            name: value if isinstance(value, str) else f"{value:,}" for name, value in self.by_quality.items()
        }
        return ", ".join(f"{quality} {value}" for quality, value in shown.items())

    def problem(self, value: Any) -> str:
        """What is wrong with a value, to follow "NAME is VALUE: "; empty if it is valid."""
        if isinstance(self.default, tuple):
            valid = isinstance(value, tuple) and all(isinstance(entry, str) for entry in value)
            return "" if valid else "it must be a list of paths"
        if isinstance(self.default, bool):
            return "" if isinstance(value, bool) else "it must be true or false"
        if isinstance(self.default, str):
            return self._text_problem(value)
        whole = isinstance(self.default, int)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or (isinstance(value, float) and (whole or not math.isfinite(value))):
            return f"it must be a {'whole ' * whole}number{self._or_auto}"
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            return f"it must be {self.range}{self._or_auto}"
        return ""

    @property
    def _or_auto(self) -> str:
        return f", or {AUTO}" if self.may_be_auto else ""

    def _text_problem(self, value: Any) -> str:
        if not isinstance(value, str):
            return "it must be a text"
        if not self.choices or value in self.choices or (self.other and value):
            return ""
        listed = ", ".join(self.choices)
        return f"choose one of {listed}" + (f", or {self.other}" if self.other else "")

    def typed(self, value: Any) -> Any:
        """A value from JSON or a caller, converted to the field's type; left as it is if that is impossible.

        None for one that follows the quality.
        """
        if value == AUTO and self.may_be_auto:
            return type(self.default)(0) if self.automatic else None
        if isinstance(self.default, tuple) and isinstance(value, list | tuple):
            return tuple(str(entry) if not isinstance(entry, dict | list) else entry for entry in value)
        if isinstance(self.default, float) and isinstance(value, int) and not isinstance(value, bool):
            return float(value) if abs(value) < 2**53 else value
        if value == "" and self.choices:  # a text that is not filled in
            return self.default
        return value


def _number(value: float) -> str:
    return f"{value:,}" if value % 1 else f"{int(value):,}"


def setting(default: Any, help: str, label: str, **more: Any) -> Any:
    """A dataclass field that is a setting; `more`: fields of `Setting`."""
    return field(default=default, metadata={KEY: Setting(default, help, label, **more)})


def settings_of(kind: type[Settings]) -> tuple[Setting, ...]:
    """The settings that a class declares, in order."""
    declarations = []
    for item in fields(kind):
        declared = item.metadata.get(KEY)
        if declared is not None:
            option = declared.option or item.name
            declarations.append(replace(declared, name=item.name, option=option, stage=kind.stage))
    return tuple(declarations)


@dataclass(frozen=True)
class Settings:
    """Base class for settings; values are checked on construction.

    stage: the stage they belong to; empty for the whole job. heading: the heading above them in the panel.
    """

    stage: ClassVar[str] = ""
    heading: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for declared in settings_of(type(self)):
            check(declared, getattr(self, declared.name))

    def recorded(self) -> dict[str, Any]:
        """The values under the names of 0.1.0's workspaces, for fingerprints.

        Settings added later are left out at their defaults, so that earlier workspaces remain valid.
        """
        return {
            declared.first_name or declared.name: getattr(self, declared.name)
            for declared in settings_of(type(self))
            if not (declared.later and getattr(self, declared.name) == declared.before)
        }


def check(declared: Setting, value: Any, where: str = "") -> None:
    """UserError (2) if the value is invalid. where: the file it comes from."""
    problem = declared.problem(value)
    if problem:
        file = f"{where}: " if where else ""
        shown = repr(value) if len(repr(value)) < 80 else f"{repr(value)[:77]}..."
        raise UserError(f"{file}{declared.key} is {shown}: {problem}.", 2)
