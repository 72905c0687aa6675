"""What there is to show of a job, made from its events."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..pipeline.errors import REMEDIES
from ..pipeline.events import Event
from ..pipeline.pace import Pace
from ..pipeline.stage import STAGES
from ..pipeline.text import printable

RUNNING, DONE, FAILED, CANCELLED = "running", "done", "failed", "cancelled"


@dataclass(frozen=True)
class JobView:
    """What there is to show of a job.

    done of total: the stage's items. seconds_left: of the stage, as known at `item_began`, the time at which
    `done` last grew; None while unknown. remedy: what a button beside the sentence of a failed job should do.
    """

    state: str = RUNNING
    stage: str = ""
    done: int = 0
    total: int = 0
    message: str = "Starting"
    seconds_left: float | None = None
    pace: Pace = field(default_factory=Pace)
    item_began: float = 0.0
    exit_code: int = 0  # once it has ended: 0 done, 1 failed, 2 bad usage or input, 3 cancelled
    remedy: str = ""

    def seconds_left_at(self, now: float) -> float | None:
        """seconds_left, counted down to a time (time.time()) after the last event."""
        if self.seconds_left is None:
            return None
        return max(0.0, self.seconds_left - max(0.0, now - self.item_began))

    @property
    def fraction(self) -> float:
        """Of the stage, 0 to 1."""
        return min(1.0, max(0.0, self.done / self.total)) if self.total > 0 else 0.0

    @property
    def stage_number(self) -> int:
        """1 for the first stage; 0 before it."""
        return STAGES.index(self.stage) + 1 if self.stage in STAGES else 0


def follow(view: JobView, event: Event) -> JobView:
    """The view after one more event. The end of the job is the process's to tell, not an event's."""
    event = replace(event, message=printable(event.message))
    if event.kind == "error":
        remedy = event.data.get("remedy")
        return replace(
            view, message=event.message, seconds_left=None, remedy=remedy if remedy in REMEDIES else ""
        )
    if event.stage not in STAGES:
        return view
    if event.stage != view.stage:
        view = JobView(stage=event.stage, item_began=event.time)
    if event.kind != "progress":
        return replace(view, message=event.message or view.message)
    view = replace(view, message=event.message)
    if (event.done, event.total) == (view.done, view.total):
        return view
    pace = view.pace.after(event.stage, event.done, event.total, event.time)
    return replace(
        view,
        done=event.done,
        total=event.total,
        pace=pace,
        seconds_left=pace.seconds_left(event.done, event.time),
        item_began=event.time,
    )
