"""How far a whole job is and how long the rest will take, from its events. Panel, status bar and terminal say the same.

The job says at its beginning which stages it has, and after the photos how long each should take (`job_timing`). What
has been measured since corrects that: the pace of the stage at work, and how far off the stages before it were. A
resumed job counts only what is left. Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .documents.event import Event
from .files.json_values import mapping, number
from .pace import Pace
from .stage import STAGES

TRUST = 0.05  # of the forecast's seconds: how much a job must have run before its own speed counts as much
REST = 0.05  # of a stage's forecast that is left while it has not ended
OVERDUE = 0.15  # of the time that a stage has taken beyond its forecast's end is what it takes yet
SURE = 2.0  # half of a stage's items make its pace as good as it gets
MANY = 20  # items; the pace of fewer says less: they are steps that differ
LATE = 2.0  # times the usual time of an item, after which the next one counts as different from the others
LONGEST = 1e7  # seconds


@dataclass(frozen=True)
class JobProgress:
    """forecast: seconds of each stage that is to run, empty while unknown. names: all stages of the job. taken: seconds
    of those that have ended in this run. timed: whether a forecast is there or will come. began, stage_began,
    item_began: on the events' clock; shown: the greatest fraction yet."""

    names: tuple[str, ...] = ()
    forecast: Mapping[str, float] = field(default_factory=dict)
    timed: bool = False
    taken: Mapping[str, float] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    stage: str = ""
    began: float = 0.0
    stage_began: float = 0.0
    item_began: float = 0.0
    pace: Pace = field(default_factory=Pace)
    done: int = 0
    total: int = 0
    shown: float = 0.0

    def after(self, event: Event) -> JobProgress:
        """The progress once the event has been read."""
        new = self
        if event.stage == "job":
            if event.kind == "info":
                new = _told(self, event)
        elif event.stage in STAGES:
            new = _stage_event(self, event)
        return replace(new, shown=max(new.shown, new._fraction_at(event.time)))

    def seconds_left(self, now: float) -> float | None:
        """Of the whole job at a time on the events' clock; None while there is nothing to tell it from."""
        if not self.forecast:
            return None
        here, share = self._by_pace(now)
        speed = self._speed(here, share, now)
        rest = sum(speed * self.forecast[name] for name in self._to_come())
        if not self._at_work():
            return max(0.0, rest)
        if self.done >= self.total:  # of these items; others may follow before the stage ends
            share = 0.0
        said = speed * self.forecast.get(self.stage, 0.0)
        spent = max(0.0, now - self.stage_began)
        by_forecast = max(said - spent, REST * said + OVERDUE * max(0.0, spent - said))
        return max(0.0, rest + (1 - share) * by_forecast + share * here)

    def fraction(self, now: float) -> float:
        """0 to 1, of the time from the beginning to the end; never less than before."""
        return max(self.shown, self._fraction_at(now))

    # -- parts --------------------------------------------------------------------------------------

    def _fraction_at(self, now: float) -> float:
        left = self.seconds_left(now)
        if left is None:
            return self._by_stages()
        spent = max(0.0, now - self.began)
        return min(1.0, spent / (spent + left)) if spent + left > 0 else 0.0

    def _by_stages(self) -> float:
        """Every stage counts the same: all there is to say where a forecast is not worth its time."""
        if not self.names or self.timed:  # a bar that stood for something else before would have to wait
            return 0.0
        over = len(self.taken) + len(self.kept)
        at_work = min(1.0, self.done / self.total) if self.total > 0 and self.stage not in self.taken else 0.0
        return min(1.0, (over + at_work) / len(self.names))

    def _to_come(self) -> list[str]:
        known = {*self.taken, *self.kept, self.stage}
        return [name for name in self.forecast if name not in known]

    def _at_work(self) -> bool:
        return bool(self.stage) and self.stage not in self.taken and self.stage not in self.kept

    def _by_pace(self, now: float) -> tuple[float, float]:
        """What the stage at work has left by the pace of its items, and how much that counts, 0 to 1."""
        if not self._at_work() or self.total <= 0:
            return 0.0, 0.0
        if self.done >= self.total > self.pace.first:
            return 0.0, 1.0
        left = self.pace.seconds_left(self.done, self.item_began)
        if left is None:
            return 0.0, 0.0
        items = self.total - self.pace.first
        share = min(1.0, SURE * (self.done - self.pace.first) / max(1, items)) * min(1.0, items / MANY)
        waited = max(0.0, now - self.item_began)
        if waited > LATE * left / (self.total - self.done):
            return self.pace.seconds_left(self.done, now) or left, share
        return max(0.0, left - waited), share

    def _speed(self, here: float, share: float, now: float) -> float:
        """What forecasts have to be multiplied by: 1 at first, then as the stages so far ask for.

        here, share: as `_by_pace` says of the stage at work.
        """
        over = [name for name in self.taken if name in self.forecast]
        said = TRUST * sum(self.forecast.values())
        real = said + sum(self.taken[name] for name in over)
        said += sum(self.forecast[name] for name in over)
        if share and self.stage in self.forecast:
            said += share * self.forecast[self.stage]
            real += share * (here + max(0.0, now - self.stage_began))
        return real / said if said > 0 else 1.0


def _told(progress: JobProgress, event: Event) -> JobProgress:
    """What the job says of itself: which stages it has when it begins, their forecasts later."""
    forecast = mapping(event.data.get("forecast"))
    if forecast:
        seconds = {
            name: min(LONGEST, max(0.0, number(forecast.get(name)))) for name in STAGES if name in forecast
        }
        return replace(progress, forecast=seconds)
    timed, names = event.data.get("timed") is True, event.data.get("stages")
    if not isinstance(names, list):
        return replace(progress, timed=timed) if "timed" in event.data else progress
    known = tuple(name for name in STAGES if name in names)
    return JobProgress(names=known, timed=timed, began=event.time)


def _stage_event(progress: JobProgress, event: Event) -> JobProgress:
    if event.kind == "done":
        if event.data.get("skipped"):
            return replace(progress, kept=progress.kept | {event.stage})
        seconds = min(LONGEST, max(0.0, number(event.data.get("seconds"))))
        return replace(progress, taken={**progress.taken, event.stage: seconds}, stage=event.stage)
    if event.stage != progress.stage:
        began = progress.began or event.time
        progress = replace(
            progress,
            stage=event.stage,
            stage_began=event.time,
            began=began,
            pace=Pace(),
            done=0,
            total=0,
            item_began=event.time,
        )
    if event.kind != "progress":
        return progress
    if (event.done, event.total) == (progress.done, progress.total):
        return progress
    pace = progress.pace.after(event.stage, event.done, event.total, event.time)
    return replace(progress, pace=pace, done=event.done, total=event.total, item_began=event.time)
