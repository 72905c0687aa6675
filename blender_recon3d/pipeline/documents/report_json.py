"""report.json: everything machine-readable about a workspace's last run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .codec import key
from .photos_json import CameraEntry, PhotoEntry
from .registration_json import ModelSummary, PhotoRegistration
from .state_json import Arithmetic


class ReportedState(StrEnum):
    DONE = "done"
    NOT_FINISHED = "not finished"  # running, stopped, or failed
    NOT_RUN = "not run"


@dataclass(frozen=True, kw_only=True)
class ReportedStage:
    name: str = key("the stage's key")
    state: ReportedState = key("its state")
    fingerprint: str | None = key("as in state.json", None)
    seconds: float | None = key("duration", None)
    peak_memory_mb: int | None = key("of the engine's processes while it ran", None)
    summary: dict[str, Any] = key("as in state.json", dict)


@dataclass(frozen=True, kw_only=True)
class ReportedPhoto(PhotoEntry):
    registration: PhotoRegistration | None = key("its outcome, from registration.json", None)


@dataclass(frozen=True, kw_only=True)
class ReportedCamera(CameraEntry):
    refined: list[float] | None = key("the intrinsics of the main model", None, omit=True)
    parameter_names: str | None = key("their names", None, omit=True)


@dataclass(frozen=True, kw_only=True)
class ReportedPair:
    photos: tuple[str, str] = key("their names in `images`")
    matches: int | None = key("before verification; null if it was not matched", None)
    inliers: int | None = key("verified matches", None)


@dataclass(frozen=True, kw_only=True)
class Advice:
    text: str = key("what to do about photos that are not registered, one sentence")
    photos: list[str] = key("their names in `images`", list)


@dataclass(frozen=True, kw_only=True)
class StageDoubt:
    stage: str = key("the stage it belongs to")
    kind: str = key("machine-readable", "")
    text: str = key("what may be wrong with the result, one sentence")
    remedy: str = key("what to do, one sentence")
    remedy_parts: list[Any] = key("as an event's `parts`, of the remedy", list, omit=True)
    photos: list[str] = key("the photos concerned, by their names in `images`", list)


@dataclass(frozen=True, kw_only=True)
class Problem:
    stage: str = key("the stage it came from")
    kind: str = key("`error` or `warning`")
    message: str = key("one sentence")


@dataclass(frozen=True, kw_only=True)
class Device:
    asked_for: str = key("the setting")
    cores: int = key("that a process may use")
    processor: str = key("its name")
    memory_gb: float | None = key("of the machine", None)
    cuda: list[str] = key("graphics cards, if the run used torch", list)


@dataclass(frozen=True, kw_only=True)
class ReportDocument:
    version: int = key("of this format", 1)
    written: str = key("the time, ISO 8601")
    workspace: str = key("its folder")
    source: str = key("the photos' folder, or what the user named")
    versions: dict[str, str | None] = key("versions of Recon3D and its packages; null: not installed", dict)
    device: Device | None = key("the machine", None)
    arithmetic: Arithmetic | None = key("of the networks, from state.json", None)
    settings: dict[str, Any] = key("as in job.json", dict)
    stages: list[ReportedStage] = key("all of them, in their order", list)
    photos: list[ReportedPhoto] = key("as in photos.json", list)
    cameras: list[ReportedCamera] = key("as in photos.json", list)
    models: list[ModelSummary] = key("as in registration.json", list)
    pairs: list[ReportedPair] = key("that were listed for matching", list)
    advice: list[Advice] = key("the most serious first", list)
    doubts: list[StageDoubt] = key("reasons to doubt the result", list)
    problems: list[Problem] = key("errors, then warnings", list)
    report_failures: list[str] = key("parts of the report that could not be written, and why", list)
