"""How fast a stage's items come, and how long the rest will take. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass

SOONEST = 1.0  # seconds of items before anything is said


@dataclass(frozen=True)
class Pace:
    """The pace of one stage, counted from the first event that counted items.

    A resumed stage begins with the items of earlier runs, which took no time in this one.
    """

    stage: str = ""
    began: float = 0.0  # seconds on the caller's clock
    first: int = 0  # items that were done then
    total: int = 0

    def after(self, stage: str, done: int, total: int, now: float) -> Pace:
        """The pace once `done` of `total` items are done at time `now`."""
        if total <= 0:
            return self if stage == self.stage else Pace(stage, now)
        if stage != self.stage or total != self.total or done < self.first:
            return Pace(stage, now, done, total)
        return self

    def seconds_left(self, done: int, now: float) -> float | None:
        """None while it is too early to say, and when nothing is left."""
        new, spent = done - self.first, now - self.began
        if new <= 0 or done >= self.total or spent <= SOONEST:
            return None
        return spent / new * (self.total - done)
