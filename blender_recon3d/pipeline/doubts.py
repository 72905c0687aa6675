"""What speaks against a result that is there: it must not pass for a success without a word.

A stage puts its doubts into its summary (`summary["doubts"]`, a list of `Doubt.to_json()`). They stand in
state.json with the stage, in report.json and report.html, in Blender's review, and on the terminal at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .settings import STAGES
from .text import named


@dataclass(frozen=True)
class Doubt:
    """kind: for machines; text: what may be wrong, a sentence; remedy: what to do, a sentence; photos: names of
    those it is about, in photos.json's sense."""

    kind: str
    text: str
    remedy: str
    photos: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "photos": list(self.photos)}


def folded(photos: Sequence[str]) -> Doubt:
    """Sides of the subject that look alike may lie on top of each other; photos: those that may stand on the wrong
    side."""
    return Doubt(
        "folded",
        f"Sides of the subject that look alike may have been merged into one ({named(photos)}): the model "
        "can be folded.",
        "Look at the cameras from above. Where a side is missing, take photos on the way around to it, "
        "with something in view that looks different from side to side.",
        tuple(photos),
    )


def of_state(state: dict[str, Any]) -> list[dict[str, Any]]:
    """All doubts of the stages that are done, in the stages' order. state: the `stages` of state.json."""
    found = []
    for name in STAGES:
        entry = state.get(name)
        if not isinstance(entry, dict) or entry.get("state") != "done":
            continue
        for doubt in (entry.get("summary") or {}).get("doubts") or []:
            found.append({"stage": name, **doubt})
    return found


def sentence(doubt: dict[str, Any]) -> str:
    """A doubt and what to do about it."""
    return f"{doubt['text']} {doubt['remedy']}"
