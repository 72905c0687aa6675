"""How far the stage at work is and how long the rest of it will take, by its items and by the phases that it declares.

Standard library only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from .documents.event import Event
from .stage import Phase, stage

WHOLE = (Phase("", 1.0),)  # of a stage that declares no phases
SOONEST = 1.0  # seconds of work before its pace says anything
SURE = 2.0  # half of the work makes the pace as good as it gets
TAIL = 0.03  # of a stage: what is left after its last item, until it has ended


@dataclass(frozen=True)
class StageProgress:
    """part: of the stage's time that is over, 0 to 1, as its items and phases tell. first: the part that an earlier
    run has done; counted_from: since when parts are counted; changed: when there was something new. phase_from,
    phase_first: the same of the phase at work, which is known by its number."""

    name: str = ""
    began: float = 0.0
    phase: int = 0
    done: int = 0
    total: int = 0
    part: float = 0.0
    first: float = 0.0
    counted_from: float | None = None
    changed: float = 0.0
    phase_from: float = 0.0
    phase_first: float = 0.0

    def after(self, event: Event) -> StageProgress:
        """The progress once an event of the stage has been read."""
        phases = _phases(self.name)
        phase = next((n for n, each in enumerate(phases) if event.message.startswith(each.says)), self.phase)
        if (event.done, event.total, phase) == (self.done, self.total, self.phase):
            return self
        new = replace(self, phase=phase, done=event.done, total=event.total)
        part = min(1.0, sum(each.share for each in phases[:phase]) + new._within() * phases[phase].share)
        new = replace(new, part=max(self.part, part), changed=event.time)
        begins = self.counted_from is None and event.total > 0
        if begins:
            new = replace(new, first=new.part, counted_from=event.time)
        if begins or phase != self.phase:
            new = replace(new, phase_from=event.time, phase_first=new._within())
        return new

    def factor(self, said: float) -> tuple[float, float]:
        """By how much this stage is slower than the `said` seconds of its forecast, and how sure that is, 0 to 1."""
        since = self.changed if self.counted_from is None else self.counted_from
        new, spent = self.part - self.first, self.changed - since
        if new <= 0 or spent <= SOONEST:
            return 1.0, 0.0
        return spent / (said * new), min(1.0, SURE * new / max(1e-9, 1 - self.first))

    def seconds_left(self, now: float, said: float, speed: float) -> float:
        """said: the forecast of the whole stage; speed: how much slower than forecast the other stages were."""
        own, sure = self.factor(said)
        whole = said * _mean(speed, own, sure)
        here = whole * self._left_of_phase()
        pace, sure = self._pace_of_phase()
        here = _mean(here, pace, sure) if here > 0 else 0.0
        left = here + whole * self._later()
        waited = max(0.0, now - self.changed)
        step = here * self._next() if here > 0 else left
        if waited <= step:
            return left - waited
        # What should have come by now has not. At best it comes this very moment, and all else is as late.
        since = self.began if self.counted_from is None else self.counted_from
        late = (now - since) / max(1e-9, self.changed + step - since)
        return max(left - waited, late * (left - step), TAIL * (now - since))

    def _within(self) -> float:
        """How much of its phase is over, 0 to 1."""
        phase = _phases(self.name)[self.phase]
        span = phase.ends - phase.begins
        if span <= 0 or self.total <= 0:
            return 0.0
        return min(1.0, max(0.0, (self.done / self.total - phase.begins) / span))

    def _left_of_phase(self) -> float:
        return _phases(self.name)[self.phase].share * (1 - self._within())

    def _later(self) -> float:
        """The part of the stage after the phase at work."""
        return max(0.0, 1 - sum(each.share for each in _phases(self.name)[: self.phase + 1]))

    def _pace_of_phase(self) -> tuple[float, float]:
        """Seconds that the phase has left by the pace of its items, and how sure that is, 0 to 1."""
        new, spent = self._within() - self.phase_first, self.changed - self.phase_from
        if new <= 0 or spent <= SOONEST:
            return 0.0, 0.0
        return spent / new * (1 - self._within()), min(1.0, SURE * new / max(1e-9, 1 - self.phase_first))

    def _next(self) -> float:
        """The part of what the phase has left that is over at the next event."""
        phase = _phases(self.name)[self.phase]
        span = phase.ends - phase.begins
        if span <= 0 or self.total <= 0 or self.done >= self.total:
            return 1.0
        return min(1.0, 1 / (self.total * span) / max(1e-9, 1 - self._within()))


def _mean(one: float, other: float, share: float) -> float:
    """Their geometric mean, in which `other` has this share."""
    if share <= 0 or one <= 0 or other <= 0:
        return one if share < 0.5 else other
    return math.exp((1 - share) * math.log(one) + share * math.log(other))


def _phases(name: str) -> tuple[Phase, ...]:
    return (stage(name).phases if name else ()) or WHOLE
