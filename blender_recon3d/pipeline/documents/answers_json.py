"""The object that commands other than a run print with `--json`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .codec import key


@dataclass(frozen=True, kw_only=True)
class ExportAnswer:
    version: int = key("of this format", 1)
    files: list[str] = key("written, as absolute paths; folders if the format is a folder")


@dataclass(frozen=True, kw_only=True)
class DoctorFinding:
    name: str = key("what was checked")
    state: str = key("`ok`, `warning` or `missing`")
    found: str = key("for people")
    advice: str = key("what to do about it", "")
    needed: bool = key("nothing runs without it", False)


@dataclass(frozen=True, kw_only=True)
class DoctorAnswer:
    version: int = key("of this format", 1)
    able: bool = key("whether a reconstruction can run on this machine")
    findings: list[DoctorFinding] = key("in setup order")


@dataclass(frozen=True, kw_only=True)
class WeightsAnswer:
    version: int = key("of this format", 1)
    weights: list[dict[str, Any]] = key(
        "`name`, `network`, `set`, `license`, `commercial`, `where` the file is (null: not here), and "
        "the `url` to fetch it from"
    )


@dataclass(frozen=True, kw_only=True)
class RemovableFiles:
    path: str = key("a file or folder, in the workspace")
    bytes: int = key("its size")
    stage: str = key("the stage that makes it again if it runs again")


@dataclass(frozen=True, kw_only=True)
class CleanAnswer:
    version: int = key("of this format", 1)
    files: list[RemovableFiles] = key("what only saves time if a stage runs again, the largest first")
    bytes: int = key("their size")
    removed: bool = key("whether they were removed, with `--yes`")


@dataclass(frozen=True, kw_only=True)
class PauseAnswer:
    version: int = key("of this format", 1)
    paused: bool = key("false if the run ended by itself before it could pause")


@dataclass(frozen=True, kw_only=True)
class TextAnswer:
    version: int = key("of this format", 1)
    text: str = key("what the command prints without `--json`")


@dataclass(frozen=True, kw_only=True)
class FetchedAnswer:
    version: int = key("of this format", 1)
    name: str = key("of the weights")
    path: str = key("their file")


@dataclass(frozen=True, kw_only=True)
class EvaluationAnswer:
    version: int = key("of this format", 1)
    truth: dict[str, Any] = key("its `kind`, `folder` and number of `cameras`")
    units: str = key("of lengths, as given in the ground truth")
    photos: dict[str, Any] = key("how many are registered, and how many of these have a true camera")
    cameras: dict[str, Any] = key("errors of centers and rotations: `mean`, `median`, `max`")
    cloud: dict[str, Any] | None = key(
        "accuracy, completeness and F-scores; null without a true surface", None
    )
    mesh: dict[str, Any] | None = key("the same of the mesh; null without one", None)
    stages: dict[str, Any] = key("as in state.json: seconds and summary of each")


@dataclass(frozen=True, kw_only=True)
class ErrorAnswer:
    """Printed to standard output if a command with `--json` fails."""

    version: int = key("of this format", 1)
    error: str = key("one sentence for people")
    exit_code: int = key("the process's, too")
    parts: list[Any] = key("as an event's `parts`, of the error", list, omit=True)
