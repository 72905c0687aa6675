"""The next step from photos to an exported mesh, depending on the state of the scene and the workspace.

The first row of the table that applies is the step. It only decides which button is large.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import bpy

from .. import preferences
from ..properties import workspace_path
from ..scene.cameras import KEY
from ..scene.find_imports import CLOUD, SURFACES, current_import, find_imports, parts_by_kind, workspace_of
from ..scene.placement import SCALED
from . import current_job, session
from .job_view import FAILED
from .resume_state import FINISHED

DENSE_CLOUD = "normal"  # the attribute that only a dense cloud has


@dataclass(frozen=True)
class Facts:
    """What the step depends on.

    photos: whether any are chosen. strange: whether they come from the file and were not chosen on this machine.
    unsuitable: whether the last job failed because of the photos. finished, unfinished: the workspace's job.
    imported: whether its result, or any, is in the scene. dense, mesh, scaled: what the import has.
    """

    engine: bool = True
    running: bool = False
    photos: bool = False
    strange: bool = False
    unsuitable: bool = False
    unfinished: bool = False
    finished: bool = False
    imported: bool = False
    dense: bool = False
    mesh: bool = False
    scaled: bool = False


@dataclass(frozen=True)
class Step:
    """A button. arguments: of its operator. with_photos: whether it starts from the photos, as Reconstruct does."""

    fits: Callable[[Facts], bool]
    label: str
    operator: str
    icon: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    with_photos: bool = False


STEPS = (
    Step(lambda f: not f.photos and not f.imported, "Choose Photos", "recon3d.choose_photos", "FILE_FOLDER",
         with_photos=True),
    Step(lambda f: f.strange, "Look at These Photos", "recon3d.look_at_photos", "VIEWZOOM", with_photos=True),
    Step(lambda f: f.unsuitable, "Choose Other Photos", "recon3d.choose_photos", "FILE_FOLDER", with_photos=True),
    Step(lambda f: f.unfinished, "Resume", "recon3d.reconstruct", "PLAY", with_photos=True),
    Step(lambda f: f.photos and not f.finished and not f.imported, "Reconstruct", "recon3d.reconstruct", "PLAY",
         with_photos=True),
    Step(lambda f: f.finished and not f.imported, "Import Result", "recon3d.import_result", "IMPORT"),
    Step(lambda f: not f.mesh and not f.dense and f.photos, "Build Cloud", "recon3d.reconstruct", "PLAY",
         {"until": "dense"}),
    Step(lambda f: not f.mesh and f.photos, "Build Mesh", "recon3d.make_mesh", "PLAY"),
    Step(lambda f: f.mesh and not f.scaled, "Set Scale", "recon3d.scale_to", "DRIVER_DISTANCE"),
    Step(lambda f: f.mesh, "Export", "recon3d.export_asset", "EXPORT", {"preset": "GLB"}),
)  # fmt: skip


def next_step(facts: Facts) -> Step | None:
    """The first row that applies; None while there is no engine or a job is running, which the panel shows instead."""
    if facts.running or not (facts.engine or facts.imported):
        return None
    return next((step for step in STEPS if step.fits(facts)), None)


def facts_of(scene: bpy.types.Scene) -> Facts:
    """The facts of a scene, without reading any file."""
    settings, now = scene.recon3d, current_job.session
    folder = workspace_path(settings)
    imports = find_imports(scene)
    matching = [c for c in imports if folder is not None and str(workspace_of(c)) == str(folder)]
    collection = (
        matching[-1] if matching else current_import(scene) if imports and not settings.photos else None
    )
    parts = parts_by_kind(collection) if collection else {}
    cloud = next(iter(parts.get(CLOUD, ())), None)
    return Facts(
        engine=not preferences.engine_problem(),
        running=now.running,
        photos=bool(settings.photos),
        strange=bool(settings.photos) and not session.are_chosen(scene),
        unsuitable=now.view is not None and now.view.state == FAILED and now.view.remedy == "photos",
        unfinished=now.state.unfinished,
        finished=now.state.state == FINISHED,
        imported=collection is not None,
        dense=cloud is not None and DENSE_CLOUD in cloud.data.attributes,
        mesh=any(parts.get(kind) for kind in SURFACES),
        scaled=bool(collection and collection[KEY].get(SCALED, False)),
    )
