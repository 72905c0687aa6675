"""`recon3d STAGE OUT --shard i/n`: one of several equal parts of a stage's items, for the array jobs of a queue."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from ..documents.event import Event
from ..errors import Cancelled, Paused, UserError
from ..events import Progress
from ..work_items import share
from ..workspace import Workspace
from .exit_codes import BAD_USAGE, CANCELLED, DONE, stop_told
from .running import stoppable
from .setting_options import job_settings

PATIENCE = 3600.0  # seconds: another shard may be preparing the stage


def part_of(text: str) -> tuple[int, int]:
    """2/8 as (2, 8); ValueError for anything else."""
    part, parts = (int(word) for word in text.split("/"))
    if not 1 <= part <= parts:
        raise ValueError
    return part, parts


def run_shard(chosen: argparse.Namespace, workspace: Workspace, show: Callable[[Event], None]) -> int:
    """Do the part that --shard names; returns the exit code. Its events go to `show` alone: the workspace's are the
    run's. Raises UserError, also if an earlier stage is not done."""
    from ..colmap.calls import less_log
    from ..job import begin_shared

    if chosen.fresh:
        raise UserError("--shard does not go with --fresh: use recon3d run --fresh first.", BAD_USAGE)
    part, parts = chosen.shard
    settings = job_settings(workspace, chosen, chosen.only)

    def sink(event: Event) -> None:
        if event.stage in ("job", chosen.only) or event.kind in ("warning", "error"):  # the others are done
            show(event)

    if workspace.root.is_dir():
        workspace.clear_cancel()
        workspace.clear_pause()
    with stoppable(workspace, show) as cancelled:
        less_log()
        progress = Progress(sink, cancelled, "job", workspace.is_paused)
        own = progress.for_stage(chosen.only)
        try:
            begun = begin_shared(workspace, settings, chosen.only, progress, PATIENCE)
            if begun is None:
                own.emit("done", "nothing is left for shards", skipped=True)
                return DONE
            shared, items = begun
            mine = share(items.count, part, parts)
            for number, item in enumerate(mine):
                own.update(number, len(mine), items.message)
                shared.do(items, item, own)
        except Cancelled as stop:
            message, data = stop_told(isinstance(stop, Paused))
            progress.emit("error", message, **data)
            return CANCELLED
        remaining = sum(not shared.is_done(items, item) for item in range(items.count))
        text = (
            f"step {items.step}, part {part} of {parts} is done; {remaining} of {items.count} items "
            "are left for others"
        )
        own.emit("done", text, step=items.step, items=len(mine), left=remaining)
        return DONE
