"""The main model with every observation aligned in the photos: refined/."""

from __future__ import annotations

from typing import Any

from ..events import Progress
from ..stage import Phase, Stage
from ..stage_settings import RefineSettings
from ..workspace import Workspace


def run(workspace: Workspace, settings: RefineSettings, progress: Progress) -> dict[str, Any]:
    from ..refining.refine_workspace import refine_workspace

    return refine_workspace(workspace, settings, progress)


STAGE = Stage(
    name="refine",
    title="Refining cameras",
    makes="Cameras",
    makes_text="Cameras and sparse points",
    version=1,
    needs=("sfm",),
    settings=RefineSettings,
    run=run,
    owns=lambda workspace: (workspace.refined, workspace.refining),
    leaves=lambda workspace: (),  # it may be skipped
    may_leave=lambda workspace: (workspace.refined,),
    forecast=lambda facts: 0.07 * facts.photos + 0.0001 * facts.photos**2,
    phases=(  # each counts the photos several times
        Phase("round 1", 0.23, ends=0.0),
        Phase("round 2", 0.56, ends=0.0),
        Phase("principal point", 0.21),
    ),
    grows_with=("pairs", "features", "matches", "sfm"),
    left_out=lambda settings: settings.refine == "off",
)
