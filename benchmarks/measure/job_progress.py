"""The accuracy of the time left of a whole job, replayed from the recorded events of runs.

    .venv/bin/python -m benchmarks.measure.job_progress RUN [RUN ...] [--output FILE.md]

RUN: a finished workspace, or its events.jsonl; the last run in it counts. At each tenth of a run's real time: the time
left as shown by panel and terminal over the real one; and the worst error from the middle on. A second table compares
the shares that stages declare for their phases with the measured ones.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from blender_recon3d.pipeline.events import Event, read_events
from blender_recon3d.pipeline.job_progress import JobProgress
from blender_recon3d.pipeline.stage import STAGES, Phase, stage
from blender_recon3d.pipeline.workspace import Workspace

SHORT = 5.0  # seconds: a shorter stage says nothing about its phases


def last_run(path: Path) -> list[Event]:
    """The events of the last run, from its start to its end; empty if it has not ended well."""
    events, _ = read_events(path if path.is_file() else Workspace(path).events)
    starts = [n for n, event in enumerate(events) if event.stage == "job" and event.message == "started"]
    ended = bool(starts) and (events[-1].stage, events[-1].kind) == ("job", "done")
    return events[starts[-1] :] if ended else []


def shown_over_real(events: list[Event]) -> dict[int, float]:
    """The time left shown over the real one, by tenth of the run's time; none before there is a forecast."""
    began, end = events[0].time, events[-1].time
    progress, ratios = JobProgress(), {}
    for event, following in itertools.pairwise(events):
        progress = progress.after(event)
        for tenth in range(1, 10):
            now = began + tenth / 10 * (end - began)
            shown = progress.seconds_left(now) if event.time <= now < following.time else None
            if shown is not None:
                ratios[tenth] = shown / (end - now)
    return ratios


def row(path: Path) -> tuple[list[str], float | None]:
    """The table's row, and the worst error from the middle on; None if there is nothing to compare."""
    name = (path.parent if path.is_file() else path).name
    events = last_run(path)
    if not events:
        return [name, "no finished run", *[""] * 10], None
    ratios = shown_over_real(events)
    late = [abs(ratio - 1) for tenth, ratio in ratios.items() if tenth >= 5]
    worst = max(late) if late else None
    cells = [f"{ratios[tenth]:.2f}" if tenth in ratios else "" for tenth in range(1, 10)]
    seconds = f"{events[-1].time - events[0].time:.0f}"
    return [name, seconds, *cells, "no forecast" if worst is None else f"{worst:.0%}"], worst


def phases_of(events: Iterable[Event]) -> dict[tuple[str, str], float]:
    """The share of each phase in the time of its stage, by stage and phase."""
    measured: dict[tuple[str, str], float] = {}
    for name in STAGES:
        own = [event for event in events if event.stage == name]
        phases = stage(name).phases
        if not phases or len(own) < 3 or own[-1].kind != "done" or own[-1].time - own[0].time < SHORT:
            continue
        seconds = dict.fromkeys((each.says for each in phases), 0.0)
        current: Phase | None = None
        for event, following in itertools.pairwise(own):
            current = next((each for each in phases if event.message.startswith(each.says)), current)
            if current is None or _is_over(current, event):
                continue  # between phases, or after the last item
            seconds[current.says] += following.time - event.time
        whole = own[-1].time - own[0].time
        measured |= {(name, says): value / whole for says, value in seconds.items() if value}
    return measured


def _is_over(phase: Phase, event: Event) -> bool:
    """Whether all items of a phase that counts them are done."""
    return phase.ends > phase.begins and 0 < phase.ends * event.total <= event.done


def phase_rows(paths: list[Path]) -> list[list[str]]:
    """Declared and measured shares; the measured one is the median of the runs that have the phase."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for path in paths:
        for place, share in phases_of(last_run(path)).items():
            found[place].append(share)
    rows = []
    for name in STAGES:
        for phase in stage(name).phases:
            shares = found.get((name, phase.says))
            if shares:
                measured = f"{median(shares):.2f} ({min(shares):.2f} to {max(shares):.2f})"
                rows.append([name, phase.says, f"{phase.share:.2f}", measured, str(len(shares))])
    return rows


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="job_progress", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", metavar="RUN", type=Path, nargs="+")
    parser.add_argument("--output", type=Path)
    chosen = parser.parse_args()
    rows = [row(path) for path in chosen.runs]
    head = ["run", "seconds", *(f"{n}0 %" for n in range(1, 10)), "worst from 50 %"]
    errors = [worst for _, worst in rows if worst is not None]
    text = table(head, [cells for cells, _ in rows])
    if errors:
        text += f"\nThe worst error from the middle on: median {median(errors):.0%} of {len(errors)} runs.\n"
    shares = phase_rows(chosen.runs)
    if shares:
        text += "\n" + table(["stage", "phase", "declared", "measured", "runs"], shares)
    sys.stdout.write(text)
    if chosen.output:
        chosen.output.write_text(f"# Time left of a whole job, shown over real\n\n{text}", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
