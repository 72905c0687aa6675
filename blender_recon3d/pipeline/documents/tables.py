"""Generate the documentation of the documents: docs/pipeline/documents.md.

python -m blender_recon3d.pipeline.documents.tables > docs/pipeline/documents.md
"""

from __future__ import annotations

import sys
import typing
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from types import UnionType
from typing import Any

from .answers_json import (
    CleanAnswer,
    DoctorAnswer,
    ErrorAnswer,
    EvaluationAnswer,
    ExportAnswer,
    FetchedAnswer,
    PauseAnswer,
    TextAnswer,
    WeightsAnswer,
)
from .earlier_json import EarlierDocument, SamePhotosDocument
from .event import Event
from .inspection_json import InspectionDocument
from .live_json import LiveDocument
from .masks_json import MasksDocument
from .photos_json import PhotosDocument
from .placed_json import PlacedDocument
from .placement_json import PlacementDocument
from .registration_json import RegistrationDocument
from .report_json import ReportDocument
from .rounds_json import RoundsDocument
from .sources_json import SourcesDocument
from .state_json import StateDocument
from .turns_json import TurnsDocument

DOCUMENTS: tuple[tuple[str, type, str], ...] = (
    (
        "photos.json",
        PhotosDocument,
        "The workspace's photos, and the cameras that took them.",
    ),
    ("masks.json", MasksDocument, "Where the photos' masks come from; exists only if there are masks."),
    (
        "round_masks/rounds.json",
        RoundsDocument,
        "The rounds of photos between which the subject was turned over; exists only if there are any.",
    ),
    ("sources.json", SourcesDocument, "The source files of the workspace."),
    (
        "earlier/earlier.json",
        EarlierDocument,
        "Results kept from before; exists only after photos have changed, until the new results are done.",
    ),
    (
        "earlier/STAGE.json",
        SamePhotosDocument,
        "Which photos are the same as in the earlier results of a stage.",
    ),
    ("features/turns.json", TurnsDocument, "How the photos' copies are rotated for a network."),
    ("registration.json", RegistrationDocument, "The outcome of structure from motion for each photo."),
    ("placement.json", PlacementDocument, "The model's scale and place in the world."),
    (
        "placed.json",
        PlacedDocument,
        "The placement set by `recon3d place`, kept in case the cameras are computed again.",
    ),
    ("state.json", StateDocument, "Which stages are done, and the files they wrote."),
    ("events.jsonl", Event, "The messages of a run: one object per line, as `--json` prints them."),
    (
        "live/cameras.json",
        LiveDocument,
        "Cameras registered so far; exists only while structure from motion runs.",
    ),
    ("report.json", ReportDocument, "Everything machine-readable about the last run."),
    ("inspect", InspectionDocument, "The `data` of the last event of `recon3d inspect --json`."),
    ("export", ExportAnswer, "What `recon3d export --json` prints."),
    ("doctor", DoctorAnswer, "What `recon3d doctor --json` prints."),
    ("weights list", WeightsAnswer, "What `recon3d weights list --json` prints."),
    ("weights fetch", FetchedAnswer, "What `recon3d weights fetch --json` prints."),
    ("clean", CleanAnswer, "What `recon3d clean --json` prints."),
    ("pause", PauseAnswer, "What `recon3d pause --json` prints."),
    ("text", TextAnswer, "What `recon3d completion --json` and `recon3d man --json` print."),
    ("evaluate", EvaluationAnswer, "What `recon3d evaluate --json` prints."),
    ("error", ErrorAnswer, "What a command with `--json` prints if it fails."),
)
_HEAD = """# Documents

The JSON files in a workspace, and what `--json` prints: events (events.jsonl) for `run`, `import`, `inspect` and the
stages, placement.json for `place`, and one object for each other command. Generated from the dataclasses in
[blender_recon3d/pipeline/documents](../../blender_recon3d/pipeline/documents); after a change there run
`python -m blender_recon3d.pipeline.documents.tables > docs/pipeline/documents.md`.

- Keys marked * are always present. If others are missing, readers treat them as empty or null.
- Later versions may add keys: ignore those you do not know. When a key changes its meaning or is removed, `version` is
  raised, and older readers refuse the file.
- Numbers are finite. Lengths are in pixels or in the model's units unless stated otherwise; poses are cam_from_world,
  in COLMAP's convention.
"""
_NAMES = {int: "whole number", float: "number", str: "text", bool: "true or false", Any: "anything"}


def page() -> str:
    """The whole document, in Markdown."""
    described: set[type] = set()
    parts = [_HEAD]
    for title, kind, text in DOCUMENTS:
        parts.append(f"## {title}\n\n{text}\n\n{_table(kind)}")
        parts += _parts_of(kind, described)
    return "\n".join(parts)


def _parts_of(kind: type, described: set[type]) -> list[str]:
    """Tables of the dataclasses and states that a class is made of, each described once in the whole document."""
    sections = []
    for part in _inner(kind):
        if part in described:
            continue
        described.add(part)
        if issubclass(part, StrEnum):
            sections.append(f"### {part.__name__}\n\n{', '.join(f'`{member}`' for member in part)}\n")
        else:
            sections += [f"### {part.__name__}\n\n{_table(part)}", *_parts_of(part, described)]
    return sections


def _table(kind: type) -> str:
    hints = typing.get_type_hints(kind)
    rows = ["| key | holds | meaning |", "|---|---|---|"]
    for item in fields(kind):
        if item.metadata["unknown"]:
            continue
        always = item.default is MISSING and item.default_factory is MISSING
        rows.append(
            f"| `{item.name}`{' *' * always} | {_shown(hints[item.name])} | {item.metadata['text']} |"
        )
    return "\n".join(rows) + "\n"


def _shown(hint: Any) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (UnionType, typing.Union):
        return f"{_shown(next(part for part in arguments if part is not type(None)))}, or null"
    if origin is dict:
        return f"object of: {_shown(arguments[1])}"
    if origin is tuple and arguments[-1] is not Ellipsis:
        return f"list of {len(arguments)}: {_shown(arguments[0])}"
    if origin in (list, tuple):
        return f"list of: {_shown(arguments[0])}"
    return _NAMES.get(hint) or f"[{hint.__name__}](#{hint.__name__.lower()})"


def _inner(kind: type) -> list[type]:
    """The dataclasses and states in the types of a class's fields, in their order."""
    kinds: list[type] = []

    def look(hint: Any) -> None:
        for part in typing.get_args(hint):
            look(part)
        if isinstance(hint, type) and (is_dataclass(hint) or issubclass(hint, StrEnum)) and hint not in kinds:
            kinds.append(hint)

    hints = typing.get_type_hints(kind)
    for item in fields(kind):
        look(hints[item.name])
    return kinds


if __name__ == "__main__":
    sys.stdout.write(page())
