"""What speaks against a result that is there: it must not pass for a success without a word.

A stage puts its doubts into its summary (`summary["doubts"]`, a list of `Doubt.to_json()`). They stand in
state.json with the stage, in report.json and report.html, in Blender's review, and on the terminal at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .documents.codec import FieldError, decode
from .documents.report_json import StageDoubt
from .documents.state_json import StateDocument
from .files.json_values import items, mapping
from .stage import STAGES
from .text import named
from .wording import Sentence, from_json, to_json


@dataclass(frozen=True)
class Doubt:
    """kind: for machines; text: what may be wrong, a sentence; remedy: what to do, one sentence; photos: names of
    those it is about, in photos.json's sense."""

    kind: str
    text: str
    remedy: str
    photos: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {**asdict(self), "photos": list(self.photos)}
        if parts := to_json(self.remedy):
            found["remedy_parts"] = parts
        return found


def folded(photos: Sequence[str], gap: Sequence[str] = ()) -> Doubt:
    """Sides of the subject that look alike may lie on top of each other; photos: those that may stand on the wrong
    side; gap: two of them between which more photos help, if known."""
    first = f" Start between {gap[0]} and {gap[1]}." if gap else ""
    return Doubt(
        "folded",
        f"Sides of the subject that look alike may have been merged into one ({named(photos)}): the model "
        "can be folded.",
        "Look at the cameras from above. Where a side is missing, take photos on the way there, "
        f"with something in view that looks different from side to side.{first}",
        tuple(photos),
    )


def few_registered(registered: int, photos: Sequence[str], left: Sequence[str]) -> Doubt:
    """photos: all that were used; left: those without a camera."""
    return Doubt(
        "few photos",
        f"Only {registered} of {len(photos)} photos are registered: the model shows only a part of the subject, if it "
        "is right at all.",
        "The report says why, photo by photo. Take more photos between those that are registered and the others.",
        tuple(left),
    )


def misplaced(photos: Sequence[str]) -> Doubt:
    """Photos whose surroundings look different in the other photos than the places of their cameras say."""
    one = len(photos) == 1
    return Doubt(
        "misplaced",
        f"Little of what {named(photos)} show{'s' * one} looks the same in the other photos: "
        f"{'its camera' if one else 'their cameras'} may be in the wrong place.",
        f"Look at {'it' if one else 'them'} from above. Take photos between there and the others, or leave "
        f"{'it' if one else 'them'} out.",
        tuple(photos),
    )


def of_state(state: StateDocument) -> list[StageDoubt]:
    """All doubts of the stages that are done, in the stages' order."""
    found = []
    for name in STAGES:
        record = state.stage(name)
        for doubt in items(record.summary.get("doubts")) if record.done else ():
            try:
                found.append(decode(StageDoubt, {**mapping(doubt), "stage": name}))
            except FieldError:  # state.json may be anybody's
                continue
    return found


def sentence(doubt: StageDoubt) -> str:
    """A doubt and what to do about it."""
    return Sentence(f"{doubt.text} ", from_json(doubt.remedy, doubt.remedy_parts))
