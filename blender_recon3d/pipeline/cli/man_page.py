"""`recon3d man`: the man page, in man(7) markup, generated from the parser."""

from __future__ import annotations

import argparse

from ..system.versions import engine_version
from .command_words import Option, commands_of
from .exit_codes import BAD_USAGE, CANCELLED, DONE, FAILED

_EXITS = (
    (DONE, "done"),
    (FAILED, "failed"),
    (BAD_USAGE, "wrong usage or input"),
    (CANCELLED, "cancelled or paused"),
)
_VARIABLES = (
    ("COLUMNS", "width of the terminal, if it cannot be detected"),
    ("NO_COLOR", "has no effect: output is never colored"),
)


def man_page(parser: argparse.ArgumentParser) -> str:
    commands = commands_of(parser)
    version = engine_version()
    lines = [
        f'.TH RECON3D 1 "" "recon3d {_text(version)}" "User Commands"',
        ".SH NAME",
        f"recon3d \\- {_text((parser.description or '').rstrip('.').lower())}",
        ".SH SYNOPSIS",
        ".B recon3d",
        "\\fICOMMAND\\fR [\\fIOPTIONS\\fR]",
        ".SH DESCRIPTION",
        "Photos or a video become cameras, a dense cloud and a textured mesh in the workspace, a folder. It needs no "
        "GPU and no network. A run that was stopped continues when the same command is run again.",
        ".SH COMMANDS",
    ]
    listed: set[Option] = set()
    for command in commands:
        operands = " ".join(_text(word) for word in command.operands)
        lines += [
            ".TP",
            f"\\fBrecon3d {command.name}\\fR {operands}".rstrip(),
            _text(command.help).capitalize() + ".",
        ]
    for command in commands:
        own = [option for option in command.options if option not in listed and "--help" not in option.names]
        listed |= set(own)
        if own:
            lines.append(f".SH OPTIONS OF {command.name.upper()}")
        for option in own:
            lines += [".TP", _shown(option), f"{_text(option.help).capitalize()}."]
    lines.append(".SH EXIT STATUS")
    for code, text in _EXITS:
        lines += [".TP", f"\\fB{code}\\fR", f"{text}."]
    lines.append(".SH ENVIRONMENT")
    for name, text in _VARIABLES:
        lines += [".TP", f"\\fB{name}\\fR", f"{text}."]
    lines += [".SH SEE ALSO", "\\fBcolmap\\fR(1)"]
    return "\n".join(lines) + "\n"


def _shown(option: Option) -> str:
    names = ", ".join(f"\\fB{_text(name)}\\fR" for name in option.names)
    return f"{names} \\fI{_text(option.value)}\\fR" if option.value else names


def _text(text: str) -> str:
    """Escape backslashes, literal hyphens, and a dot or quote at the start of a line."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped
