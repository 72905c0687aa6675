"""Files of a workspace are data: whatever they contain, the add-on shows something or reports an error."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.jobs import recent_runs, result_import  # noqa: E402
from blender_recon3d.jobs.engine_job import (  # noqa: E402
    FoundJob,
    find_job,
)
from blender_recon3d.jobs.job_view import JobView, follow  # noqa: E402
from blender_recon3d.jobs.resume_state import workspace_choices, workspace_state  # noqa: E402
from blender_recon3d.pipeline.stage import STAGES, last_stages  # noqa: E402
from blender_recon3d.pipeline.text import LONGEST_TEXT  # noqa: E402
from blender_recon3d.pipeline.workspace import Workspace  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from blender_recon3d.scene.reviewing import photo_list  # noqa: E402
from tests.support.made_workspaces import MadeModel, png, ring, write_binary  # noqa: E402

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
EVENT = st.fixed_dictionaries(
    {},
    optional={
        "time": st.floats() | JSON,
        "stage": st.sampled_from(["job", "sfm", "dense", "nonsense"]) | JSON,
        "kind": st.sampled_from(["progress", "info", "warning", "error", "done"]) | JSON,
        "done": st.integers() | JSON,
        "total": st.integers() | JSON,
        "message": st.text(max_size=30) | JSON,
        "data": st.dictionaries(st.sampled_from(["exit_code", "remedy", "x"]), JSON) | JSON,
    },
)
LINE = EVENT.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60)


@settings(max_examples=300, deadline=None)
@given(lines=st.lists(LINE, max_size=6))
def test_any_events_can_be_shown(tmp_path_factory, lines):
    workspace = Workspace(tmp_path_factory.mktemp("w"))
    workspace.events.write_bytes(b"\n".join(lines) + b"\n")
    job = FoundJob(workspace)
    job.poll()  # nobody holds the workspace: the run has ended
    view = job.view
    assert view.state in ("done", "failed", "cancelled")
    assert view.message.isprintable() and len(view.message) <= LONGEST_TEXT + 100
    assert 0 <= view.fraction <= 1 and isinstance(view.exit_code, int)
    view.seconds_left_at(0.0)


def test_a_message_that_no_panel_can_show_is_sanitized():
    from blender_recon3d.pipeline.events import Event

    view = follow(JobView(), Event(1.0, "sfm", "warning", message="a\0b\ud800c\n" + "x" * 5000))
    assert view.message.isprintable() and view.message.startswith("a")


@settings(max_examples=200, deadline=None)
@given(state=JSON, job=JSON | st.fixed_dictionaries({"until": JSON | st.just("dense"), "quality": JSON}))
def test_no_invalid_state_counts_as_finished(tmp_path_factory, state, job):
    folder = tmp_path_factory.mktemp("w")
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "job.json").write_text(json.dumps(job))
    known = isinstance(job, dict) and job.get("until") in STAGES
    assert workspace_state(folder).state in (("new", "unfinished") if known else ("new",))
    quality, until = workspace_choices(folder)
    assert quality in ("", "preview", "medium", "high") and until in ("", *last_stages())
    assert find_job(folder) is None


@settings(max_examples=100, deadline=None)
@given(content=JSON | st.fixed_dictionaries({"runs": JSON}))
def test_any_record_of_runs_is_read(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("u") / "running.json"
    path.write_text(json.dumps(content))
    original = recent_runs._path
    recent_runs._path = lambda: path
    try:
        recent_runs.remember(Path("/w"), "/photos")  # whatever the file contained, the next run is recorded
        assert recent_runs.remembered()[0] == (Path("/w"), "/photos", [])
        assert len(recent_runs.remembered()) <= 20
    finally:
        recent_runs._path = original


HOSTILE = (
    "../../outside.png", "/etc/passwd", "C:\\outside.png", "__import__('os').png", "x" * 300,
    "=cmd|calc!A1.png", "\u202egnp.exe", "%s%n.png", "{0.__class__}.png", "driver: 1+1",
)  # fmt: skip


def test_names_are_only_names(addon, tmp_path):
    """They reach no other folder, run nothing, and leave the review unchanged."""
    made = ring(len(HOSTILE))
    images = [(name, *rest) for name, (_, *rest) in zip(HOSTILE, made.images, strict=True)]
    root = tmp_path / "inner" / "w"
    write_binary(root / "dense" / "sparse", MadeModel(made.cameras, images, made.xyz, made.rgb))
    (root / "dense" / "images").mkdir()
    (tmp_path / "inner" / "outside.png").write_bytes(png(np.zeros((4, 4, 3), np.uint8)))
    (root / "outside.png").write_bytes(b"")
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    result = import_workspace(root)
    assert len(result.cameras) == len(HOSTILE)
    assert all(not camera.data.background_images for camera in result.cameras.values())
    assert all(not (o.animation_data and o.animation_data.drivers) for o in bpy.data.objects)
    result_import.import_result(bpy.context.scene, root)
    for number in range(len(bpy.context.scene.recon3d.review)):
        bpy.context.scene.recon3d.review_index = number
    assert photo_list.counts(bpy.context.scene)["registered"] == len(result.cameras)
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*")) == before
