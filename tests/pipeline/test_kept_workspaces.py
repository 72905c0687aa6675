"""Workspaces of earlier versions continue in this one: none of their results is computed again."""

import json

import pytest

from blender_recon3d.pipeline.events import Event, Progress
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.settings_file import job_of
from blender_recon3d.pipeline.stage import STAGES, dependents, stage
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.kept import KEPT_VERSIONS, unpack_workspace

VERSIONS_0_1_0 = {**dict.fromkeys(STAGES, 1), "dense": 2}  # of the stages' results


@pytest.fixture(params=KEPT_VERSIONS)
def kept(request, tmp_path) -> Workspace:
    return Workspace(unpack_workspace(request.param, tmp_path / "workspace"))


def run_again(workspace: Workspace, **changes) -> dict[str, bool]:
    """Whether each stage was skipped when the workspace's job is resumed, with some settings changed."""
    events: list[Event] = []
    settings = job_of(json.loads(workspace.job.read_text()), workspace.job)
    run_job(workspace, settings.changed(**changes) if changes else settings, Progress(events.append))
    return {
        event.stage: bool(event.data.get("skipped"))
        for event in events
        if event.kind == "done" and event.stage in STAGES
    }


def expected(*changed: str) -> dict[str, bool]:
    """Whether a stage is kept: not if it, or a stage it depends on, has changed its settings or results since 0.1.0.

    The original photos no longer exist, so that the workspace's copies stay, however they are made.
    """
    again = {*changed, *(name for name in STAGES[1:] if stage(name).version != VERSIONS_0_1_0[name])}
    again |= {later for name in again for later in dependents(name)}
    return {name: name not in again for name in STAGES}


def test_no_stage_runs_again_whose_results_are_the_same(kept):
    before = kept.read_state()
    kept.report_json.unlink()
    assert run_again(kept) == expected()
    stages = [name for name in STAGES if expected()[name]]
    assert {"photos", "pairs", "features", "matches"} <= set(stages)
    after = kept.read_state()
    assert [after.stage(name) for name in stages] == [before.stage(name) for name in stages]
    photos = json.loads(kept.report_json.read_text())["photos"]
    states = [(photo["state"], (photo.get("registration") or {}).get("state")) for photo in photos]
    assert states == [("used", "registered")] * 4 + [("used", "not registered"), ("set aside", None)]


def test_another_setting_runs_its_own_stage_only(kept):
    assert run_again(kept, closed=True) == expected("mesh")
