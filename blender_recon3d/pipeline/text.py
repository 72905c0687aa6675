"""Texts for people: text from files made printable, and durations. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

NAMED = 3  # photos named in a sentence

LONGEST_TEXT = 1000  # characters


class Said(str):
    """A formatted sentence that keeps its pattern and values, so that it can be translated."""

    pattern: str
    values: dict[str, object]

    def __new__(cls, pattern: str, **values: object) -> Said:
        """pattern: a format string with the values' names."""
        text = super().__new__(cls, pattern.format(**values))
        text.pattern, text.values = pattern, values
        return text


def sentences(*parts: str) -> Said:
    """Several sentences, of which each keeps its own pattern; empty ones are left out."""
    values = {f"part{number}": part for number, part in enumerate(filter(None, parts))}
    return Said(" ".join(f"{{{name}}}" for name in values), **values)


def said_json(text: object) -> Any:
    """A text, or a `Said` with its parts, as JSON for another process."""
    if isinstance(text, Said):
        return {
            "pattern": text.pattern,
            "values": {name: said_json(value) for name, value in text.values.items()},
        }
    return str(text)


def said_from(value: Any) -> str:
    """The inverse of `said_json`; empty for anything else."""
    if isinstance(value, dict) and isinstance(value.get("pattern"), str):
        try:
            return Said(value["pattern"], **{name: said_from(part) for name, part in value["values"].items()})
        except (KeyError, IndexError, ValueError, AttributeError, TypeError):
            return ""
    return value if isinstance(value, str) else ""


def printable(text: str) -> str:
    """One line that any terminal and panel can show, of limited length: texts from files may contain anything."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:LONGEST_TEXT])


def duration(seconds: float) -> str:
    """A duration for people: 4 s, 3 min 20 s, 2 h 05 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def rough_duration(seconds: float) -> str:
    """A duration that is only an estimate: 20 s, 5 min, 1 h 20 min."""
    if seconds < 55:
        return f"{max(5, 5 * round(seconds / 5))} s"
    if seconds < 5400:
        return f"{max(1, round(seconds / 60))} min"
    steps = round(seconds / 300)  # of five minutes
    return f"{steps // 12} h {steps % 12 * 5:02d} min"


def named(photos: Sequence[str]) -> str:
    """The first few names, and the number of the others."""
    return ", ".join(photos[:NAMED]) + (f" and {len(photos) - NAMED} more" if len(photos) > NAMED else "")
