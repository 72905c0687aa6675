"""The stages' declarations and their requirements."""

from __future__ import annotations

from pathlib import Path

import pytest

from blender_recon3d.pipeline import stages
from blender_recon3d.pipeline.claim import own_paths
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.stage import STAGES, all_stages, dependents, guests, last_stages, stage, up_to
from blender_recon3d.pipeline.workspace import Workspace


def test_every_module_of_the_stages_is_a_stage_of_its_name():
    found = {path.stem for path in Path(stages.__file__).parent.glob("*.py")} - {"__init__"}
    assert found == set(STAGES)
    assert tuple(each.name for each in all_stages()) == STAGES
    assert len({each.title for each in all_stages()} | {each.makes for each in all_stages()}) == 2 * len(
        STAGES
    )


def test_a_stage_needs_those_before_it_and_all_are_needed():
    for number, each in enumerate(all_stages()):
        assert set(each.needs) <= set(STAGES[:number])
        assert each.inside in ("", *STAGES[:number])
    assert dependents("photos") == STAGES[1:]
    assert dependents("pairs") == ("matches", *STAGES[STAGES.index("sfm") :])  # the features stay
    assert [each.name for each in guests("features")] == ["matches"]
    assert up_to("features") == ("photos", "pairs", "features")


@pytest.mark.parametrize("name", STAGES)
def test_a_jobs_settings_of_a_stage_are_those_it_declares(name):
    settings = getattr(JobSettings(), name)
    assert type(settings) is stage(name).settings
    known = set(settings.recorded())
    assert (
        stage(name).not_in_fingerprint - {"device", "scheduler"} <= known
        and set(stage(name).not_in_fingerprint_as) <= known
    )


def test_what_stages_own_belongs_to_the_workspace_and_one_stage(tmp_path):
    """A stage removes what it owns: each path belongs to one stage, and only to the workspace."""
    workspace = Workspace(tmp_path)
    owned = [path for each in all_stages() for path in each.owns(workspace)]
    assert len(owned) == len(set(owned))
    side = {
        workspace.database.with_name(workspace.database.name + end) for end in ("-wal", "-shm", "-journal")
    }
    assert set(owned) <= set(own_paths(workspace)) | side
    for each in all_stages():
        home = stage(each.inside) if each.inside else each
        for path in (*each.leaves(workspace), *each.may_leave(workspace)):
            assert any(path == own or own in path.parents for own in home.owns(workspace)), path


def test_the_panel_offers_the_stages_that_an_artist_may_stop_at():
    assert last_stages() == ("refine", "dense", "mesh", "texture")
