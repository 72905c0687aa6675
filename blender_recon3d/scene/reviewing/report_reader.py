"""Read the outcome for each photo from a workspace's report.json, for the review. Never imports bpy.

Files are untrusted: invalid entries are skipped, and texts are truncated for the panel.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...pipeline.documents.photos_json import PhotoState
from ...pipeline.documents.registration_json import RegistrationState
from ...pipeline.files import json_values
from ...pipeline.files.regular import read_regular
from ...pipeline.files.user_path import recorded_path
from ...pipeline.text import printable
from ...pipeline.wording import Sentence, from_json, printable_sentence

REGISTERED = RegistrationState.REGISTERED
OTHER_MODEL = RegistrationState.OTHER_MODEL
NOT_REGISTERED = RegistrationState.NOT_REGISTERED
SET_ASIDE = PhotoState.SET_ASIDE


@dataclass(frozen=True)
class PhotoRow:
    """One photo. name: in the model, empty if it was excluded. error: mean reprojection error, pixels, or -1."""

    title: str
    name: str
    state: str
    reason: str = ""
    error: float = -1.0
    points: int = 0
    source: str = ""


@dataclass(frozen=True)
class Review:
    """photos: in the order taken. advice: messages, the most serious first. doubts: reasons to doubt the result, each
    with a remedy."""

    photos: tuple[PhotoRow, ...] = ()
    advice: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def read_review(path: Path) -> Review:
    """The review in report.json; empty if there is no readable report."""
    try:
        raw = json_values.mapping(json_values.parse(read_regular(path, json_values.MAX_BYTES)))
    except (OSError, ValueError):
        return Review()
    photos = tuple(row for entry in json_values.items(raw.get("photos")) if (row := _row(entry)) is not None)
    advice = tuple(
        text(item["text"])
        for item in json_values.items(raw.get("advice"))
        if isinstance(item, dict) and isinstance(item.get("text"), str)
    )
    doubts = tuple(
        printable_sentence(Sentence(item["text"], " ", from_json(item["remedy"], item.get("remedy_parts"))))
        for item in json_values.items(raw.get("doubts"))
        if isinstance(item, dict)
        and isinstance(item.get("text"), str)
        and isinstance(item.get("remedy"), str)
    )
    return Review(photos, advice, doubts)


def _row(entry: Any) -> PhotoRow | None:
    if not isinstance(entry, dict):
        return None
    name, source = text(entry.get("name")), text(entry.get("source"))
    title = recorded_path(source).stem or Path(name).stem or "Photo"
    if entry.get("state") != PhotoState.USED:
        return PhotoRow(title, "", SET_ASIDE, text(entry.get("reason")), source=source)
    registration = entry.get("registration")
    if not isinstance(registration, dict):
        return PhotoRow(title, name, NOT_REGISTERED, "the reconstruction stopped before", source=source)
    state = registration.get("state")
    if state not in (REGISTERED, OTHER_MODEL):
        return PhotoRow(title, name, NOT_REGISTERED, text(registration.get("reason")), source=source)
    return PhotoRow(
        title,
        name,
        state,
        text(registration.get("reason")),
        _error(registration.get("error")),
        json_values.whole(registration.get("points"), 0, 0, 2**31 - 1),
        source,
    )


def text(value: Any) -> str:
    """A string for a panel: printable, one line, truncated; empty for anything that is not a string."""
    return printable(value) if isinstance(value, str) else ""


def _error(value: Any) -> float:
    """The error in pixels; -1 for none."""
    error = json_values.number(value, -1.0)
    return min(error, 1e9) if error >= 0 else -1.0
