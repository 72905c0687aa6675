"""The accuracy of the time left of a whole job, replayed from the events of finished workspaces.

    .venv/bin/python -m benchmarks.measure.job_progress WORKSPACE [WORKSPACE ...] [--output FILE.md]

At each tenth of a run's real time: the time left as shown by panel and terminal, the real one, and the error. For a
workspace that was run more than once the last run counts.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path

from blender_recon3d.pipeline.events import Event, read_events
from blender_recon3d.pipeline.job_progress import JobProgress
from blender_recon3d.pipeline.workspace import Workspace


def last_run(workspace: Path) -> list[Event]:
    """The events of the last run, from its start to its end."""
    events, _ = read_events(Workspace(workspace).events)
    starts = [n for n, event in enumerate(events) if event.stage == "job" and event.message == "started"]
    return events[starts[-1] :] if starts else []


def row(workspace: Path) -> list[str]:
    """The table's row: the time left shown at each tenth over the real one, and the worst from the middle on."""
    events = last_run(workspace)
    if not events or events[-1].kind != "done":
        return [workspace.name, "no finished run"]
    began, end = events[0].time, events[-1].time
    progress, places, worst = JobProgress(), {n: "" for n in range(1, 10)}, 0.0
    for event, following in itertools.pairwise(events):
        progress = progress.after(event)
        for tenth in places:
            now = began + tenth / 10 * (end - began)
            if not event.time <= now < following.time:
                continue
            shown = progress.seconds_left(now)
            if shown is not None:
                ratio = shown / (end - now)
                places[tenth] = f"{ratio:.2f}"
                worst = max(worst, abs(ratio - 1)) if tenth >= 5 else worst
    return [workspace.name, f"{end - began:.0f}", *places.values(), f"{worst:.0%}"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="job_progress", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("workspaces", metavar="WORKSPACE", type=Path, nargs="+")
    parser.add_argument("--output", type=Path)
    chosen = parser.parse_args()
    head = ["run", "seconds", *(f"{n}0 %" for n in range(1, 10)), "worst from 50 %"]
    rows = [head, ["---"] * len(head), *(row(workspace) for workspace in chosen.workspaces)]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in rows) + "\n"
    sys.stdout.write(table)
    if chosen.output:
        chosen.output.write_text(f"# Time left of a whole job, shown over real\n\n{table}", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
