"""state.json: which stages of a workspace are done, and the files they wrote."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PureWindowsPath
from typing import Any

from ..files import json_values
from ..files.regular import read_regular
from .codec import FieldError, decode, decoded_items, key


class StageState(StrEnum):
    NOT_RUN = "not run"  # never written: a stage that has not run has no record
    RESETTING = "resetting"
    STARTED = "started"
    DONE = "done"


class NetworkPrecision(StrEnum):
    FP32 = "fp32"
    BF16 = "bf16"


@dataclass(frozen=True, kw_only=True)
class StageRecord:
    fingerprint: str = key("SHA-256 over the settings, inputs and versions behind its results", "", omit=True)
    state: StageState = key(
        "`resetting`: old results are being removed; `started`: running, or stopped before the end; `done`",
        StageState.NOT_RUN,
    )
    seconds: float | None = key("duration", None, omit=True)
    peak_memory_mb: int | None = key("of the engine's processes while it ran", None, omit=True)
    summary: dict[str, Any] = key("its results: `message`, and figures that differ by stage", dict, omit=True)

    @property
    def done(self) -> bool:
        return self.state == StageState.DONE


@dataclass(frozen=True, kw_only=True)
class Arithmetic:
    precision: NetworkPrecision = key("the arithmetic of the networks")
    why: str = key("why it was chosen, as a clause", "")


@dataclass(frozen=True, kw_only=True)
class StateDocument:
    version: int = key("of this format", 1)
    stages: dict[str, StageRecord] = key("by key; a stage that has not run is missing", dict)
    files: dict[str, dict[str, str]] = key(
        "for each finished stage its files and `SIZE CRC`: CRC-32 of the first and last 4 KB", dict, omit=True
    )
    arithmetic: Arithmetic | None = key("of the job's networks, once features have begun", None, omit=True)
    unknown: dict[str, Any] = key("keys from later versions, which are preserved", dict, unknown=True)

    def stage(self, name: str) -> StageRecord:
        """The stage's record; one with the state `not run` if there is none."""
        return self.stages.get(name, StageRecord())


def read_state(path: Path) -> StateDocument:
    """The readable parts of state.json. Damaged records are skipped, or all if the file is unreadable; these stages
    then run again."""
    try:
        raw = json_values.parse(read_regular(path, json_values.MAX_BYTES))
    except (OSError, ValueError):
        raw = None
    if not isinstance(raw, dict) or not isinstance(raw.get("stages"), dict):
        return StateDocument()
    known = ("version", "stages", "files", "arithmetic")
    return StateDocument(
        version=json_values.whole(raw.get("version"), 1),
        stages=decoded_items(StageRecord, raw["stages"]),
        files=_files(raw.get("files")),
        arithmetic=_arithmetic(raw.get("arithmetic")),
        unknown={name: value for name, value in raw.items() if name not in known},
    )


def _files(raw: Any) -> dict[str, dict[str, str]]:
    return {
        stage: {name: text for name, text in files.items() if isinstance(text, str) and _is_below(name)}
        for stage, files in json_values.mapping(raw).items()
        if isinstance(files, dict)
    }


def _arithmetic(raw: Any) -> Arithmetic | None:
    try:
        return decode(Arithmetic, raw)
    except FieldError:
        return None


def _is_below(name: str) -> bool:
    """Whether a relative path stays below its folder, on any system, since state.json is untrusted."""
    windows = PureWindowsPath(name)
    return bool(name) and not (name.startswith("/") or windows.drive or windows.root or ".." in windows.parts)
