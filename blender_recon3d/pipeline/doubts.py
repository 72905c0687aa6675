"""Signs that a finished result may be wrong, so that it is not presented as a plain success.

A stage puts its doubts into its summary (`summary["doubts"]`, a list of `Doubt.to_json()`). They are shown in
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
    """kind: for programs; text: what may be wrong, one sentence; remedy: what to do, one sentence; photos: the names,
    as in photos.json, of the photos concerned."""

    kind: str
    text: str
    remedy: str
    photos: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {**asdict(self), "photos": list(self.photos)}
        if parts := to_json(self.remedy):
            document["remedy_parts"] = parts
        return document


def folded(photos: Sequence[str], gap: Sequence[str] = ()) -> Doubt:
    """Similar sides of the subject may have been merged. photos: those that may be on the wrong side; gap: two photos
    between which more photos would help, if known."""
    first = f" Start between {gap[0]} and {gap[1]}." if gap else ""
    return Doubt(
        "folded",
        f"Sides of the subject that look alike may have been merged into one ({named(photos)}): the model "
        "can be folded.",
        "Look at the cameras from above. Where a side is missing, take photos on the way there, "
        f"with something in view that looks different from side to side.{first}",
        tuple(photos),
    )


def few_registered(registered: int, photos: Sequence[str], unregistered: Sequence[str]) -> Doubt:
    """photos: all that were used; unregistered: those that are not registered."""
    return Doubt(
        "few photos",
        f"Only {registered} of {len(photos)} photos are registered: the model shows only a part of the subject, if it "
        "is right at all.",
        "The report says why, photo by photo. Take more photos between those that are registered and the others.",
        tuple(unregistered),
    )


def misplaced(photos: Sequence[str]) -> Doubt:
    """Photos whose surroundings look different in the other photos than their camera poses predict."""
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
    """The doubts of all finished stages, in stage order."""
    doubts = []
    for name in STAGES:
        record = state.stage(name)
        for doubt in items(record.summary.get("doubts")) if record.done else ():
            try:
                doubts.append(decode(StageDoubt, {**mapping(doubt), "stage": name}))
            except FieldError:  # state.json is untrusted
                continue
    return doubts


def sentence(doubt: StageDoubt) -> str:
    """A doubt and its remedy."""
    return Sentence(f"{doubt.text} ", from_json(doubt.remedy, doubt.remedy_parts))
