"""What runs again, resumes, is cancelled and is repaired, on stages that only write small files: milliseconds each.

The stages' names, needs, settings and files are the real ones; what they do is not.
"""

from __future__ import annotations

import pytest

from blender_recon3d.pipeline import job, results, stage
from blender_recon3d.pipeline.documents.state_json import StageRecord, StageState
from blender_recon3d.pipeline.errors import Cancelled, UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.stage import STAGES
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.fake_stages import MATCHES, Fakes, fake_stages


def since(name: str) -> list[str]:
    """The names of the stages from this one on."""
    return list(STAGES[STAGES.index(name) :])


SURFACE = since("mesh")


@pytest.fixture
def fakes(monkeypatch) -> Fakes:
    return fake_stages(monkeypatch)


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace(tmp_path / "w")


def run(workspace: Workspace, fakes: Fakes, until: str = "texture", **options) -> list[str]:
    """The stages that ran."""
    fakes.ran.clear()
    only, fresh = options.pop("only", ""), options.pop("fresh", False)
    settings = JobSettings.build(photos="/photos", features="sift", until=until, **options)
    job.run_job(workspace, settings, Progress(lambda event: None, workspace.is_cancelled), fresh, only)
    return list(fakes.ran)


def test_a_second_run_repeats_nothing(workspace, fakes):
    assert run(workspace, fakes) == list(STAGES)
    before = workspace.state_file.read_bytes()
    assert run(workspace, fakes) == []
    assert workspace.state_file.read_bytes() == before
    assert run(workspace, fakes, fresh=True) == list(STAGES)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"keep_blurred": True}, list(STAGES)),
        ({"min_views": 4}, since("dense")),
        ({"faces": 900}, SURFACE),
        ({"texture": 512}, ["texture"]),
        ({"mapper": "global"}, since("sfm")),
        ({"max_error": 2.0}, since("matches")),
        (
            {"pairs": "sequential"},
            ["pairs", *since("matches")],
        ),  # the features stay
        (
            {"feature_size": 600},
            since("features"),
        ),  # and so do the pairs
        ({"device": "cpu"}, []),
    ],
)
def test_a_changed_setting_runs_its_stage_and_later_ones_only(workspace, fakes, options, expected):
    run(workspace, fakes)
    assert run(workspace, fakes, **options) == expected
    assert all(results.damaged(workspace, name) == [] for name in STAGES)
    assert workspace.database.read_text() == "features\n" + MATCHES  # once


def test_a_shorter_run_drops_what_depends_on_a_change(workspace, fakes):
    run(workspace, fakes)
    assert run(workspace, fakes, until="pairs", pairs="sequential") == ["pairs"]
    assert set(workspace.read_state().stages) == {"photos", "pairs", "features"}
    assert not workspace.sparse.exists() and not workspace.dense.exists() and not workspace.mesh.exists()
    assert workspace.database.read_text() == "features\n"
    assert results.damaged(workspace, "features") == []


@pytest.mark.parametrize("name", STAGES)
def test_a_run_stopped_in_any_stage_continues_there(workspace, fakes, name):
    fakes.at = lambda running: workspace.request_cancel() if running == name else None
    with pytest.raises(Cancelled):
        run(workspace, fakes)
    number = STAGES.index(name)
    state = workspace.read_state()
    assert [each for each in STAGES if state.stage(each).done] == list(STAGES[:number])
    assert state.stage(name).state.value == "started"
    fakes.at = lambda running: None
    assert run(workspace, fakes) == list(STAGES[number:])


# Not `refine`: it leaves no files if it improves nothing.
@pytest.mark.parametrize("name", [name for name in STAGES if name != "refine"])
def test_a_lost_file_runs_its_stage_again_and_no_other(workspace, fakes, name):
    run(workspace, fakes)
    lost = stage.stage(name).leaves(workspace)[0]
    lost = lost if lost.is_file() else lost / "file"
    lost.unlink()
    again = run(workspace, fakes)
    # The database holds the matches too.
    expected = list(STAGES[STAGES.index("features") :]) if lost == workspace.database else [name]
    assert again == expected
    assert all(results.damaged(workspace, each) == [] for each in STAGES)


def test_a_single_stage_requires_those_before_it(workspace, fakes):
    run(workspace, fakes, until="pairs")
    with pytest.raises(UserError, match=r"The stage features is not done .* run recon3d features"):
        run(workspace, fakes, only="matches")
    assert run(workspace, fakes, only="features") == ["features"]
    assert run(workspace, fakes, only="matches") == ["matches"]


def test_a_kill_while_old_results_are_removed_leaves_no_run_to_resume(workspace, fakes):
    run(workspace, fakes)
    workspace.write_stage("dense", StageRecord(state=StageState.RESETTING))
    left = workspace.dense / "left by other settings"
    left.touch()
    assert run(workspace, fakes) == since("dense")
    assert not left.exists()
