"""The displayed state of a job, derived from its events."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..pipeline.documents.event import Event
from ..pipeline.errors import REMEDIES
from ..pipeline.job_progress import JobProgress
from ..pipeline.stage import STAGES
from ..pipeline.wording import printable_sentence

RUNNING, DONE, FAILED, CANCELLED, PAUSED = "running", "done", "failed", "cancelled", "paused"


@dataclass(frozen=True)
class JobView:
    """The displayed state of a job.

    done, total: the stage's items. progress: of the whole job. summary: a finished job's message about its result.
    remedy: the fix offered by the button next to a failed job's message.
    """

    state: str = RUNNING
    stage: str = ""
    done: int = 0
    total: int = 0
    message: str = "Starting"
    summary: str = ""
    progress: JobProgress = field(default_factory=JobProgress)
    exit_code: int = 0  # once it has ended: 0 done, 1 failed, 2 bad usage or input, 3 cancelled or paused
    remedy: str = ""

    def seconds_left_at(self, now: float) -> float | None:
        """Seconds left for the whole job at a time (time.time()); None if unknown."""
        return self.progress.seconds_left(now) if self.state == RUNNING else None

    def fraction_at(self, now: float) -> float:
        """Progress of the whole job at a time (time.time()), 0 to 1."""
        return self.progress.fraction(now)

    @property
    def fraction(self) -> float:
        """Progress of the whole job at the last event, 0 to 1."""
        return self.progress.shown


def follow(view: JobView, event: Event) -> JobView:
    """The view after one more event. Whether the job has ended is decided by the process, not by events."""
    event = replace(event, message=printable_sentence(event.message))
    view = replace(view, progress=view.progress.after(event))
    if event.kind == "error":
        remedy = event.data.get("remedy")
        return replace(view, message=event.message, remedy=remedy if remedy in REMEDIES else "")
    if event.stage == "job" and event.kind == "done":
        return replace(view, summary=event.message)
    if event.stage not in STAGES:
        return view
    if event.stage != view.stage:
        view = JobView(stage=event.stage, progress=view.progress)
    if event.kind != "progress":
        return replace(view, message=event.message or view.message)
    return replace(view, message=event.message, done=event.done, total=event.total)
