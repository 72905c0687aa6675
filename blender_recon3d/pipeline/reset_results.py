"""Removes the results of stages: those that run from scratch, and those that depend on them."""

from __future__ import annotations

from collections.abc import Iterable

from . import results
from .documents.state_json import StageRecord, StageState, StateDocument
from .files.atomic_files import remove, remove_with_part
from .stage import STAGES, Stage, dependents, guests
from .stage import stage as stage_of
from .workspace import Workspace


def drop_dependents(name: str, workspace: Workspace) -> None:
    """Remove the results of the stages that depend on this one: they would be taken for the new result's."""
    state = workspace.read_state()
    later = dependents(name)
    for other in reversed(later):
        if other in state.stages:
            workspace.write_stage(other, StageRecord(state=StageState.RESETTING))
        if other in state.stages or not stage_of(other).inside:
            reset(stage_of(other), workspace)
    for other in later:
        host = stage_of(other).inside
        if host and host != name and host not in later and state.stage(host).done:
            if all(path.exists() for path in stage_of(host).leaves(workspace)):
                files = results.files_of(workspace, host)  # the guest's results were taken out of them
                workspace.write_stage(host, state.stage(host), drop=later, files=files)
                return
    if any(other in state.stages for other in later):
        workspace.write_stage(name, workspace.read_state().stage(name), drop=later)


def reset(stage: Stage, workspace: Workspace) -> None:
    """Remove the stage's results, complete or not."""
    for path in (*stage.owns(workspace), workspace.items / stage.name):
        remove_with_part(path)
    if stage.take_out:
        stage.take_out(workspace)


def remove_hosts(names: Iterable[str], workspace: Workspace) -> None:
    """Remove files that hold the results of several stages when all of them go: such files may be damaged."""
    for name in names:
        if guests(name):
            reset(stage_of(name), workspace)


def reset_all(workspace: Workspace) -> None:
    """Remove every result, from the last stage to the first, but nothing that is not ours; without opening any."""
    if workspace.state_file.exists():  # after a kill from here on, no result may count
        workspace.write_state(StateDocument())
    remove_hosts(STAGES, workspace)
    for name in reversed(STAGES):
        reset(stage_of(name), workspace)
    for path in (
        workspace.report_json,
        workspace.report_html,
        workspace.placed,
        workspace.earlier,
        workspace.items,
        workspace.model_masks,
        workspace.round_masks,
    ):
        remove(path)
