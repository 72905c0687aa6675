"""How far a workspace's job has progressed, for the panel. Standard library only, no bpy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..pipeline.errors import UserError
from ..pipeline.files.atomic_files import read_json
from ..pipeline.files.json_values import text
from ..pipeline.settings import QUALITIES
from ..pipeline.stage import STAGES, last_stages, stage
from ..pipeline.workspace import Workspace

NEW, UNFINISHED, FINISHED = "new", "unfinished", "finished"


@dataclass(frozen=True)
class WorkspaceState:
    """state: NEW, UNFINISHED or FINISHED. sentence: the message for an unfinished one."""

    state: str = NEW
    sentence: str = ""

    @property
    def unfinished(self) -> bool:
        return self.state == UNFINISHED


def workspace_choices(folder: Path) -> tuple[str, str]:
    """Quality and last stage of the workspace's job; empty if there is none."""
    try:
        job = read_json(Workspace(folder).job, "")
    except UserError:
        return "", ""
    quality, until = text(job.get("quality")), text(job.get("until"))
    return quality if quality in QUALITIES else "", until if until in last_stages() else ""


def workspace_state(folder: Path) -> WorkspaceState:
    """The state of the workspace in the folder. An unreadable one counts as new: the engine reports the problem."""
    workspace = Workspace(folder)
    if not workspace.state_file.is_file() or not workspace.job.is_file():
        return WorkspaceState()
    try:
        until = text(read_json(workspace.job, "").get("until"))
    except UserError:
        return WorkspaceState()
    if until not in STAGES:
        return WorkspaceState()
    state = workspace.read_state()
    last = STAGES.index(until) + 1
    for name in STAGES[:last]:
        if not state.stage(name).done:
            number = STAGES.index(name) + 1
            how = "Paused" if workspace.is_paused() else "Stopped"
            return WorkspaceState(
                UNFINISHED,
                f"{how} at step {number} of {last}, {stage(name).title.lower()}. Press Resume to continue.",
            )
    return WorkspaceState(FINISHED)
