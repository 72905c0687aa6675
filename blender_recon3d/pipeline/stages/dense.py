"""Undistorted photos, depth and normal maps, and the fused cloud: dense/."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..events import Progress
from ..job_forecast import Facts
from ..stage import Phase, Stage
from ..stage_settings import DenseSettings
from ..workspace import Workspace

if TYPE_CHECKING:
    from ..work_items import Items


def set_aside(workspace: Workspace, folder: Path) -> None:
    """The depth maps, and the model and masks that they belong to."""
    (folder / "dense").mkdir()
    for name in ("stereo", "sparse"):
        if (path := workspace.dense / name).exists():
            path.replace(folder / "dense" / name)


def inputs(workspace: Workspace, settings: DenseSettings) -> Any:
    from ..mvs.dense_cloud import method

    return method(settings)


def forecast(facts: Facts) -> float:
    return 0.04 * facts.photos + facts.seconds_of_depth / facts.unit


def run(workspace: Workspace, settings: DenseSettings, progress: Progress) -> dict[str, Any]:
    from ..mvs.dense_cloud import dense_cloud

    return dense_cloud(workspace, settings, progress)


def prepare(workspace: Workspace, settings: DenseSettings, progress: Progress) -> None:
    from ..mvs.dense_cloud import prepare

    prepare(workspace, settings, progress)


def items(workspace: Workspace, settings: DenseSettings, progress: Progress) -> Items | None:
    """None for COLMAP's PatchMatch, which one process calls for all photos."""
    from ..models.devices import select_device
    from ..mvs.dense_cloud import method

    if method(settings) != "torch":
        return None
    from ..mvs.depth_items import DepthItems
    from ..mvs.depth_views import load_scene

    scene, memory = load_scene(workspace.dense, settings.views), settings.memory * 2**30
    return DepthItems(workspace.dense, scene, select_device(settings.device), memory, progress)


STAGE = Stage(
    name="dense",
    title="Computing depth",
    makes="Cloud",
    makes_text="Cameras and a dense cloud",
    version=3,
    needs=("refine",),
    settings=DenseSettings,
    inputs=inputs,
    run=run,
    owns=lambda workspace: (workspace.dense,),
    leaves=lambda workspace: (workspace.fusion, workspace.dense / "images", workspace.dense / "sparse"),
    may_leave=lambda workspace: (workspace.dense / "masks", workspace.fusion.with_name("fusion.ply.vis")),
    forecast=forecast,
    set_aside=set_aside,
    prepare=prepare,
    items=items,
    grows_with=("pairs", "features", "matches", "sfm", "refine"),
    phases=(
        Phase("undistorting", 0.02),
        Phase("checking", 0.01),
        Phase("estimating depth", 0.79),
        Phase("comparing depth maps", 0.05),
        Phase("fusing", 0.13, ends=0.0),
    ),
)
