"""Structure from motion: the cameras and sparse points in sparse/, placement.json and registration.json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..events import Progress
from ..stage import Phase, Stage
from ..stage_settings import GLOBAL_FROM, SfmSettings
from ..workspace import Workspace

if TYPE_CHECKING:
    from ..job_forecast import Facts


def owns(workspace: Workspace) -> Sequence[Path]:
    return (
        workspace.sparse,
        workspace.placement,
        workspace.registration,
        workspace.remapped_database,
        workspace.live,
    )


def set_aside(workspace: Workspace, folder: Path) -> None:
    """The main model, to which other photos can be added, and its placement."""
    for path in (workspace.sparse, workspace.refined, workspace.placement, workspace.remapped_database):
        if path.exists():
            path.replace(folder / path.name)


def inputs(workspace: Workspace, settings: SfmSettings) -> Any:
    from ..alignments.take_alignment import identity

    return identity(settings.alignment) if settings.alignment else ""


def run(workspace: Workspace, settings: SfmSettings, progress: Progress) -> dict[str, Any]:
    if settings.alignment:
        from ..alignments.take_alignment import take_alignment

        return take_alignment(workspace, settings.alignment, settings.seed, progress)
    from ..sfm.mapping import find_cameras

    return find_cameras(workspace, settings, progress)


def forecast(facts: Facts) -> float:
    """The incremental mapper takes longer per photo the more there are, the global one much less so."""
    mapper = facts.settings.of(SfmSettings).mapper
    if mapper == "global" or (mapper == "auto" and facts.photos >= GLOBAL_FROM):
        return 0.05 * facts.photos + 0.0001 * facts.photos**2
    return 1.5 + 0.00058 * facts.photos**2


STAGE = Stage(
    name="sfm",
    title="Finding cameras",
    makes="Cameras as Found",
    version=1,
    needs=("matches",),
    settings=SfmSettings,
    inputs=inputs,
    run=run,
    owns=owns,
    leaves=lambda workspace: (workspace.mapped, workspace.placement, workspace.registration),
    may_leave=lambda workspace: (workspace.sparse, workspace.remapped_database),
    forecast=forecast,
    phases=(Phase("placing cameras", 0.7),),
    set_aside=set_aside,
    grows_with=("pairs", "features", "matches", "refine"),
)
