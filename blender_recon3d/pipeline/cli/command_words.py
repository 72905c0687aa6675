"""The commands and options as data, for shell completion and the man page."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

from ..settings import by_option


@dataclass(frozen=True)
class Option:
    """names: as typed. value: its metavar, empty if it takes no value."""

    names: tuple[str, ...]
    value: str
    choices: tuple[str, ...]
    help: str

    @property
    def brief(self) -> str:
        """The first clause of the help."""
        return self.help.split(";")[0].split(" (")[0].rstrip(".")


@dataclass(frozen=True)
class Command:
    """operands: their metavars. choices: values of operands with a fixed set of choices."""

    name: str
    help: str
    operands: tuple[str, ...]
    options: tuple[Option, ...]
    choices: tuple[str, ...]


def commands_of(parser: argparse.ArgumentParser) -> list[Command]:
    """All commands in their order, without hidden options."""
    (adding,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    helps = {action.dest: action.help or "" for action in adding._choices_actions}
    return [Command(name, helps[name], *_words(command)) for name, command in adding.choices.items()]


def _words(parser: argparse.ArgumentParser) -> tuple[tuple[str, ...], tuple[Option, ...], tuple[str, ...]]:
    operands, options, choices = [], [], []
    for action in parser._actions:
        if action.help == argparse.SUPPRESS:
            continue
        if action.option_strings:
            options.append(_option(action))
        else:
            operands += list(_operands(action))
            choices += [str(choice) for choice in action.choices or ()]
    return tuple(operands), tuple(options), tuple(choices)


def _option(action: argparse.Action) -> Option:
    takes = action.nargs != 0
    choices = tuple(str(choice) for choice in action.choices or ())
    declared = by_option().get(action.dest)
    if takes and not choices and declared:
        choices = tuple(declared[0].choices)
    value = str(action.metavar or action.dest.upper()) if takes else ""
    return Option(tuple(action.option_strings), value, choices, (action.help or "").replace("%%", "%"))


def _operands(action: argparse.Action) -> Iterator[str]:
    name = str(action.metavar) if action.metavar else "|".join(str(choice) for choice in action.choices or ())
    suffix = " ..." if action.nargs in ("*", "+") else ""
    yield f"[{name}{suffix}]" if action.nargs in ("*", "?") else f"{name}{suffix}"
