"""Workspaces of earlier versions go on in this one: nothing that they hold is computed again."""

import json

import pytest

from blender_recon3d.pipeline.events import Event, Progress
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.settings import STAGES
from blender_recon3d.pipeline.settings_file import job_of
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.kept import VERSIONS, unpack_workspace


@pytest.fixture(params=VERSIONS)
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


def test_no_stage_runs_again(kept):
    """A stage whose version was raised on purpose may: then this test says so for it, and for what hangs on it."""
    before = kept.read_state()
    kept.report_json.unlink()
    assert run_again(kept) == dict.fromkeys(STAGES, True)
    assert kept.read_state() == before
    photos = json.loads(kept.report_json.read_text())["photos"]
    states = [(photo["state"], (photo.get("registration") or {}).get("state")) for photo in photos]
    assert states == [("used", "registered")] * 4 + [("used", "not registered"), ("set aside", None)]


def test_another_setting_runs_its_own_stage_only(kept):
    assert run_again(kept, closed=True) == {**dict.fromkeys(STAGES, True), "mesh": False, "texture": False}
