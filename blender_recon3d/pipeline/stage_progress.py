"""Progress of the current stage and its time left, from its items and the phases that it declares.

Standard library only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from .documents.event import Event
from .stage import Phase, stage

WHOLE = (Phase("", 1.0),)  # for a stage that declares no phases
SOONEST = 1.0  # seconds of work before its pace is used
SURE = 2.0  # the pace counts fully after 1/SURE of the work
TAIL = 0.03  # of a stage: the time between its last item and its end
MEMORY = 0.2  # of a stage, or of a phase: work so long ago counts 1/e for the pace


@dataclass(frozen=True)
class Pace:
    """How fast work has been going lately: the load of the machine changes, and the start of a stage is slow.

    seconds, work: sums in which earlier work counts less. all_seconds: in which it does not.
    """

    seconds: float = 0.0
    work: float = 0.0
    all_seconds: float = 0.0

    def after(self, seconds: float, work: float) -> Pace:
        """The pace after some more work, a part of the whole, took some time."""
        faded = math.exp(-work / MEMORY)
        return Pace(self.seconds * faded + seconds, self.work * faded + work, self.all_seconds + seconds)

    @property
    def for_all(self) -> float:
        """Seconds for the whole at this pace; 0 if it is too early to say."""
        return self.seconds / self.work if self.work > 0 and self.all_seconds > SOONEST else 0.0


@dataclass(frozen=True)
class StageProgress:
    """part: fraction of the stage's time that is over, 0 to 1, from its items and phases. first: the part done by an
    earlier run; counting: whether parts are counted yet; changed: time of the last news; pace: of the stage.
    phase: index of the current phase; phase_first, phase_pace: the same for it."""

    name: str = ""
    began: float = 0.0
    phase: int = 0
    done: int = 0
    total: int = 0
    part: float = 0.0
    first: float = 0.0
    counting: bool = False
    changed: float = 0.0
    pace: Pace = Pace()
    phase_first: float = 0.0
    phase_pace: Pace = Pace()

    def after(self, event: Event) -> StageProgress:
        """The progress once an event of the stage has been read."""
        phases = _phases(self.name)
        phase = next((n for n, each in enumerate(phases) if event.message.startswith(each.says)), self.phase)
        if (event.done, event.total, phase) == (self.done, self.total, self.phase):
            return self
        new = replace(self, phase=phase, done=event.done, total=event.total)
        part = min(1.0, sum(each.share for each in phases[:phase]) + new._within() * phases[phase].share)
        new = replace(new, part=max(self.part, part), changed=event.time)
        if not self.counting and event.total > 0:
            return replace(new, counting=True, first=new.part, phase_first=new._within())
        if self.counting:
            new = replace(new, pace=self.pace.after(event.time - self.changed, new.part - self.part))
        if phase != self.phase:
            return replace(new, phase_first=new._within(), phase_pace=Pace())
        more = max(0.0, new._within() - self._within())
        return replace(new, phase_pace=self.phase_pace.after(event.time - self.changed, more))

    def factor(self, expected: float) -> tuple[float, float]:
        """How much slower this stage is than its forecast of `expected` seconds, and how certain that is, 0 to 1."""
        new = self.part - self.first
        if new <= 0 or not self.pace.for_all:
            return 1.0, 0.0
        return self.pace.for_all / expected, min(1.0, SURE * new / max(1e-9, 1 - self.first))

    def seconds_left(self, now: float, expected: float, speed: float) -> float:
        """expected: the forecast of the whole stage; speed: how much slower than forecast the other stages were."""
        own, sure = self.factor(expected)
        whole = expected * _mean(speed, own, sure)
        here = whole * self._left_of_phase()
        pace, sure = self._pace_of_phase()
        here = _mean(here, pace, sure) if here > 0 else 0.0
        remaining = here + whole * self._later()
        waited = max(0.0, now - self.changed)
        step = here * self._next() if here > 0 else remaining
        if waited <= step:
            return remaining - waited
        # The next event is late. At best it comes this very moment, and everything else is equally late.
        spent = max(1e-9, self.pace.all_seconds if self.counting else self.changed - self.began)
        late = (spent + waited) / (spent + step)
        return max(remaining - waited, late * (remaining - step), TAIL * (spent + waited))

    def _within(self) -> float:
        """The fraction of the current phase that is over, 0 to 1."""
        phase = _phases(self.name)[self.phase]
        span = phase.ends - phase.begins
        if span <= 0 or self.total <= 0:
            return 0.0
        return min(1.0, max(0.0, (self.done / self.total - phase.begins) / span))

    def _left_of_phase(self) -> float:
        return _phases(self.name)[self.phase].share * (1 - self._within())

    def _later(self) -> float:
        """The part of the stage after the current phase."""
        return max(0.0, 1 - sum(each.share for each in _phases(self.name)[: self.phase + 1]))

    def _pace_of_phase(self) -> tuple[float, float]:
        """Seconds left of the phase by the pace of its items, and how certain that is, 0 to 1."""
        new = self._within() - self.phase_first
        if new <= 0 or not self.phase_pace.for_all:
            return 0.0, 0.0
        left = self.phase_pace.for_all * (1 - self._within())
        return left, min(1.0, SURE * new / max(1e-9, 1 - self.phase_first))

    def _next(self) -> float:
        """The fraction of the rest of the phase that is over at the next event."""
        phase = _phases(self.name)[self.phase]
        span = phase.ends - phase.begins
        if span <= 0 or self.total <= 0 or self.done >= self.total:
            return 1.0
        return min(1.0, 1 / (self.total * span) / max(1e-9, 1 - self._within()))


def _mean(one: float, other: float, share: float) -> float:
    """Their geometric mean; `share`: weight of `other`."""
    if share <= 0 or one <= 0 or other <= 0:
        return one if share < 0.5 else other
    return math.exp((1 - share) * math.log(one) + share * math.log(other))


def _phases(name: str) -> tuple[Phase, ...]:
    return (stage(name).phases if name else ()) or WHOLE
