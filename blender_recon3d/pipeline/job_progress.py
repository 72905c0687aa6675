"""Progress of a whole job and its time left, from its events. Panel, status bar and terminal show the same.

At its start the job lists its stages, and after the photos the forecast of each (`job_timing`). Measurements correct
the forecast: how far off earlier stages were, and how fast the current one goes through its items and phases. A
resumed job counts only what is left. Standard library only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .documents.event import Event
from .files.json_values import mapping, number
from .stage import STAGES
from .stage_progress import StageProgress

PRIOR = 0.5  # weight of the forecast as it is, in stages, against those that have run
SMALL = 0.02  # of the whole forecast: a shorter stage says less about the speed of the others
MIN_SECONDS = 1.0  # of a forecast; the factor of a shorter one means nothing
LONGEST = 1e7  # seconds


@dataclass(frozen=True)
class JobProgress:
    """forecast: seconds of each stage that will run, empty while unknown. names: all stages of the job. taken: seconds
    of those finished in this run. timed: whether there is or will be a forecast. now: the current stage. began: time of
    the events' clock; shown: the greatest fraction so far."""

    names: tuple[str, ...] = ()
    forecast: Mapping[str, float] = field(default_factory=dict)
    timed: bool = False
    taken: Mapping[str, float] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    now: StageProgress = field(default_factory=StageProgress)
    began: float = 0.0
    shown: float = 0.0

    @property
    def stage(self) -> str:
        return self.now.name

    @property
    def done(self) -> int:
        return self.now.done

    @property
    def total(self) -> int:
        return self.now.total

    def after(self, event: Event) -> JobProgress:
        """The progress once the event has been read."""
        new = self
        if event.stage == "job":
            if event.kind == "info":
                new = _job_info(self, event)
        elif event.stage in STAGES:
            new = _stage_event(self, event)
        return replace(new, shown=max(new.shown, new._fraction_at(event.time)))

    def seconds_left(self, now: float) -> float | None:
        """Of the whole job, at a time on the events' clock; None without a forecast."""
        if not self.forecast:
            return None
        rest = sum(self.forecast[name] for name in self._to_come()) * self._speed()
        if not self._running():
            return max(0.0, rest)
        expected = max(MIN_SECONDS, self.forecast.get(self.stage, 0.0))
        return max(0.0, rest + self.now.seconds_left(now, expected, self._speed(exclude=self.stage)))

    def fraction(self, now: float) -> float:
        """0 to 1, of the time from start to end; never decreases."""
        return max(self.shown, self._fraction_at(now))

    # -- parts --------------------------------------------------------------------------------------

    def _fraction_at(self, now: float) -> float:
        left = self.seconds_left(now)
        if left is None:
            return self._by_stages()
        spent = max(0.0, now - self.began)
        return min(1.0, spent / (spent + left)) if spent + left > 0 else 0.0

    def _by_stages(self) -> float:
        """Every stage counts the same: the best there is for jobs too short for a forecast."""
        if not self.names or self.timed:  # the bar must not show another measure before the forecast comes
            return 0.0
        over = len(self.taken) + len(self.kept)
        current = min(1.0, self.done / self.total) if self.total > 0 and self._running() else 0.0
        return min(1.0, (over + current) / len(self.names))

    def _to_come(self) -> list[str]:
        known = {*self.taken, *self.kept, self.stage}
        return [name for name in self.forecast if name not in known]

    def _running(self) -> bool:
        return bool(self.stage) and self.stage not in self.taken and self.stage not in self.kept

    def _speed(self, exclude: str = "") -> float:
        """The factor to multiply forecasts by: 1 at first, then the mean factor of the stages so far.

        A mean of factors, not of seconds: a single stage that is far off says little about the others.
        """
        whole = max(MIN_SECONDS, sum(self.forecast.values()))
        weights, logs = PRIOR, 0.0
        for name, expected in self.forecast.items():
            if name == exclude:
                continue
            weight = min(1.0, expected / (SMALL * whole))
            if name in self.taken:
                factor = max(self.taken[name], 0.1) / max(expected, MIN_SECONDS)
            elif name == self.stage and self._running():
                factor, share = self.now.factor(max(expected, MIN_SECONDS))
                weight *= share
            else:
                continue
            weights, logs = weights + weight, logs + weight * math.log(factor)
        return math.exp(logs / weights)


def _job_info(progress: JobProgress, event: Event) -> JobProgress:
    """What the job reports about itself: its stages at the start, their forecasts later."""
    forecast = mapping(event.data.get("forecast"))
    if forecast:
        seconds = {
            name: min(LONGEST, max(0.0, number(forecast.get(name)))) for name in STAGES if name in forecast
        }
        return replace(progress, forecast={**progress.forecast, **seconds})  # a later one is of what is left
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
        now = progress.now if event.stage == progress.stage else StageProgress(event.stage, event.time)
        return replace(progress, taken={**progress.taken, event.stage: seconds}, now=now)
    if event.stage != progress.stage:
        now = StageProgress(event.stage, event.time, changed=event.time)
        progress = replace(progress, now=now, began=progress.began or event.time)
    return replace(progress, now=progress.now.after(event)) if event.kind == "progress" else progress
