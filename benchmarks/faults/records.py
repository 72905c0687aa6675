"""The outcome of each run of an attack, stored in a file as it happens, and a table over all of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path


class Outcome(StrEnum):
    """How a run ended, from best to worst."""

    SAME = "finished, same result"
    ACCEPTED = "read"
    REFUSED = "refused in a sentence"
    TOLD = "told in a sentence, then finished with the same result"
    MISTOLD = "stopped with the wrong sentence, then finished"
    UNTOLD = "stopped without a sentence, then finished"
    LEFTOVERS = "left processes or files behind"
    SILENT = "finished, another result and no word"
    ESCAPED = "unexpected error"
    CRASHED = "crashed in native code"
    STUCK = "stuck: fails again and again"
    HUNG = "hung"

    @property
    def held(self) -> bool:
        """Whether a user can live with it."""
        return self in (Outcome.SAME, Outcome.ACCEPTED, Outcome.REFUSED, Outcome.TOLD)


RANK = {outcome: rank for rank, outcome in enumerate(Outcome)}


@dataclass(frozen=True)
class Run:
    """One run of an attack. case: a short description; note: what was observed."""

    attack: str
    number: int
    outcome: Outcome
    case: str
    note: str = ""


class Records:
    """The runs of an attack in FOLDER/attack.jsonl, one line each."""

    def __init__(self, folder: Path, attack: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{attack.replace(' ', '_')}.jsonl"

    def read(self) -> list[Run]:
        """All runs so far, without an incomplete last line."""
        runs = []
        for line in self.path.read_text("utf-8").splitlines() if self.path.exists() else ():
            try:
                raw = json.loads(line)
            except ValueError:
                continue
            runs.append(Run(**{**raw, "outcome": Outcome(raw["outcome"])}))
        return runs

    def add(self, run: Run) -> None:
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(run)) + "\n")

    def missing(self, count: int) -> list[int]:
        """The numbers below `count` that have not been run yet."""
        done = {run.number for run in self.read()}
        return [number for number in range(count) if number not in done]


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    attack: str
    outcomes: Counter[Outcome]
    worst: str

    @property
    def runs(self) -> int:
        return self.outcomes.total()


def row(attack: str, runs: Iterable[Run]) -> Row:
    """The runs of one attack in a row; `worst` is the case of the worst run, if one did not hold."""
    runs = list(runs)
    worst = max(runs, key=lambda run: RANK[run.outcome], default=None)
    text = ""
    if worst is not None and not worst.outcome.held:
        text = f"{worst.case}: {worst.note}" if worst.note else worst.case
    return Row(attack, Counter(run.outcome for run in runs), text)


def markdown(rows: Iterable[Row]) -> str:
    """The table: how many runs held, and the outcomes of the others."""
    lines = ["| attack | runs | held | outcomes | worst |", "|---|---|---|---|---|"]
    for line in rows:
        held = sum(count for outcome, count in line.outcomes.items() if outcome.held)
        ended = sorted(line.outcomes.items(), key=lambda item: RANK[item[0]])
        outcomes = "; ".join(f"{count:,} {outcome}" for outcome, count in ended)
        worst = line.worst.replace("|", "/").replace("\n", " ")[:200]
        lines.append(f"| {line.attack} | {line.runs:,} | {held:,} | {outcomes} | {worst} |")
    return "\n".join([*lines, ""])
