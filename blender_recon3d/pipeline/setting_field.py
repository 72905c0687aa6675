"""A setting, declared once: a dataclass field that says everything there is to say about it.

From it are made the option of the command line (`cli/setting_options.py`), the property in Blender
(`engine_properties.py`), the key in a settings file (`settings_file.py`), what is translated, and its row in the
manual (`tools/settings_page.py`). Standard library only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, NamedTuple

from .errors import UserError

KEY = "setting"  # of a field's metadata
FOLLOW_QUALITY = "auto"  # the value of a choice that the quality decides


class Choice(NamedTuple):
    """One of a setting's values. label: as the panel shows it; help: its tooltip.

    number: what a .blend file keeps of it, its place where there is none: so new choices come last, or have numbers.
    """

    label: str
    help: str = ""
    number: int | None = None


@dataclass(frozen=True)
class Setting:
    """What is known of a setting.

    help: one sentence, without the stop. unit: of a number. low, high: the range, both included.
    choices: the values, in order. other: what else it may be, besides the choices ("a folder").
    zero: what 0 stands for. by_quality: the value that each quality stands for, where none or FOLLOW_QUALITY is given.
    path: "file" or "folder", where a text may name one. option: its name on the command line and in the panel, where
    that is not the field's; stages that share a setting give it the same one.
    was: earlier names, which stay accepted. off: an option that turns a switch off, besides --no-NAME.
    first_name: its name in the workspaces of 0.1.0, which fingerprints go by. later: it is younger than 0.1.0, and
    no part of a fingerprint while it has its default.
    not_in_panel, no_option: why it is not among the panel's settings, or no option; a short sentence.
    name, stage: filled in by `settings_of`.
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
        """Its name for people and in messages: stage.name, or the name alone of a setting of the whole job."""
        return f"{self.stage}.{self.name}" if self.stage else self.name

    @property
    def names(self) -> frozenset[str]:
        """All names that it goes by: in a settings file, and as a keyword."""
        return frozenset({self.name, self.option, self.first_name or self.name, *self.was})

    @property
    def range(self) -> str:
        """ "from 1 to 1000", "at least 64"; empty where every number will do."""
        if self.low is None and self.high is None:
            return ""
        if self.high is None:
            return f"at least {_number(self.low or 0)}"
        return f"from {_number(self.low or 0)} to {_number(self.high)}"

    @property
    def before(self) -> Any:
        """Of one that is `later`: what was done when there was none."""
        return "off" if self.default == FOLLOW_QUALITY else self.default

    @property
    def sizes(self) -> str:
        """ "preview 1,600, medium 2,400": what each quality stands for."""
        shown = {
            name: value if isinstance(value, str) else f"{value:,}" for name, value in self.by_quality.items()
        }
        return ", ".join(f"{quality} {value}" for quality, value in shown.items())

    def problem(self, value: Any) -> str:
        """What is wrong with a value, to follow "NAME is VALUE: "; empty for a good one."""
        if isinstance(self.default, tuple):
            good = isinstance(value, tuple) and all(isinstance(entry, str) for entry in value)
            return "" if good else "it must be a list of paths"
        if isinstance(self.default, bool):
            return "" if isinstance(value, bool) else "it must be true or false"
        if isinstance(self.default, str):
            return self._text_problem(value)
        whole = isinstance(self.default, int)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or (isinstance(value, float) and (whole or not math.isfinite(value))):
            return f"it must be a {'whole ' * whole}number"
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            return f"it must be {self.range}"
        return ""

    def _text_problem(self, value: Any) -> str:
        if not isinstance(value, str):
            return "it must be a text"
        if not self.choices or value in self.choices or (self.other and value):
            return ""
        listed = ", ".join(self.choices)
        return f"choose one of {listed}" + (f", or {self.other}" if self.other else "")

    def typed(self, value: Any) -> Any:
        """A value out of JSON or of a caller's, in the type that the field has; what cannot be is left as it is."""
        if isinstance(self.default, tuple) and isinstance(value, list | tuple):
            return tuple(str(entry) if not isinstance(entry, dict | list) else entry for entry in value)
        if isinstance(self.default, float) and isinstance(value, int) and not isinstance(value, bool):
            return float(value) if abs(value) < 2**53 else value
        return value


def _number(value: float) -> str:
    return f"{value:,}" if value % 1 else f"{int(value):,}"


def setting(default: Any, help: str, label: str, **more: Any) -> Any:
    """A dataclass field that is a setting; `more` as `Setting` has it."""
    return field(default=default, metadata={KEY: Setting(default, help, label, **more)})


def settings_of(kind: type[Settings]) -> tuple[Setting, ...]:
    """The settings that a class declares, in its order."""
    found = []
    for item in fields(kind):
        declared = item.metadata.get(KEY)
        if declared is not None:
            option = declared.option or item.name
            found.append(replace(declared, name=item.name, option=option, stage=kind.stage))
    return tuple(found)


@dataclass(frozen=True)
class Settings:
    """Base of classes that hold settings; they are checked when made.

    stage: the stage that they are of; empty for the whole job's. heading: what the panel puts above them.
    """

    stage: ClassVar[str] = ""
    heading: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for declared in settings_of(type(self)):
            check(declared, getattr(self, declared.name))

    def recorded(self) -> dict[str, Any]:
        """The values under the names of 0.1.0's workspaces, for fingerprints.

        What is younger and has its default is left out, so that workspaces made before it stay as good as they were.
        """
        return {
            declared.first_name or declared.name: getattr(self, declared.name)
            for declared in settings_of(type(self))
            if not (declared.later and getattr(self, declared.name) == declared.before)
        }


def check(declared: Setting, value: Any, where: str = "") -> None:
    """UserError (2) where the value will not do. where: the file that it is from."""
    problem = declared.problem(value)
    if problem:
        file = f"{where}: " if where else ""
        shown = repr(value) if len(repr(value)) < 80 else f"{repr(value)[:77]}..."
        raise UserError(f"{file}{declared.key} is {shown}: {problem}.", 2)
