"""The state of this Blender's job: what it runs or follows, and what the panel says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import bpy

from ..scene import live
from ..scene.importing.import_workspace import ImportResult
from ..scene.stepwise import Steps
from .engine_job import Job
from .job_view import RUNNING, JobView
from .resume_state import WorkspaceState


@dataclass(frozen=True)
class Once:
    """Settings that override the scene's for one job. chosen: the scene's settings when it started."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    chosen: tuple[str, str, str] = ("", "", "")


@dataclass
class Session:
    """This Blender's job. scene_uid: of the scene it belongs to. state: of the chosen workspace."""

    job: Job | None = None
    scene_uid: int = 0
    notes: tuple[str, ...] = ()
    state: WorkspaceState = field(default_factory=WorkspaceState)
    once: Once = field(default_factory=Once)
    live_stamp: int = 0
    live: live.LiveState | None = None  # read but not shown yet
    unseen: bool = False  # a job has ended and the user has not reacted yet
    result: ImportResult | None = None
    waiting: Callable[[bpy.types.Scene], Steps[None]] | None = None  # an import

    @property
    def view(self) -> JobView | None:
        return self.job.view if self.job else None

    @property
    def running(self) -> bool:
        return self.job is not None and self.job.view.state == RUNNING

    @property
    def cancelling(self) -> bool:
        return self.running and self.job.cancelling

    @property
    def pausing(self) -> bool:
        return self.running and self.job.pausing


session = Session()


def scene_of_job() -> bpy.types.Scene | None:
    """The scene that the job belongs to; None if another file is open."""
    return next((s for s in bpy.data.scenes if s.session_uid == session.scene_uid), None)
