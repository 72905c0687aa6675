"""events.jsonl: the events of a run, one object per line; `--json` prints the same lines."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .codec import key

VERSION = 1  # of the lines' format


class EventKind(StrEnum):
    PROGRESS = "progress"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    DONE = "done"


@dataclass(frozen=True)
class Event:
    """One line. Often constructed with positional arguments, so its fields are not keyword-only."""

    time: float = key("seconds since 1970")
    stage: str = key("a stage's key, or `job`, `report`, `inspect`")
    kind: EventKind = key("its type")
    done: int = key("finished items of the stage", 0)
    total: int = key("total number of items; 0: unknown", 0)
    message: str = key("for people", "")
    data: dict[str, Any] = key(
        "`done` of a stage: its record in state.json, or `skipped`; `error`: `exit_code`, `remedy`, and whether it is "
        "`paused`; a warning: the `photo` it is about; `info` of the job: the `version` of these lines, its `stages`, "
        "whether they are `timed`, and then the `forecast` of their seconds",
        dict,
    )
    parts: list[Any] = key(
        "the message in parts, if it refers to a setting or an action: texts, and `[kind, name, value]` (wording.py)",
        list,
        omit=True,
    )
