"""Imports results into the scene: one that is chosen, one beside it, and those that another process has just made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy

from .. import chosen_folders
from ..pipeline.documents.document_files import read_document
from ..pipeline.documents.placement_json import PlacementDocument
from ..pipeline.errors import UserError
from ..pipeline.text import Said
from ..pipeline.workspace import Workspace
from ..scene import live
from ..scene.cameras import KEY
from ..scene.default_objects import hide_default_cube, nothing_is_chosen
from ..scene.find_imports import find_imports, make_active
from ..scene.importing.import_workspace import ImportResult
from ..scene.importing.import_workspace import import_in_steps as workspace_in_steps
from ..scene.placement import SCALED
from ..scene.reviewing import photo_list, photo_view
from ..scene.shown_parts import limit_points
from ..scene.stepwise import Steps, run
from ..scene.viewports import frame_result, show_result
from . import timer
from .current_job import scene_of_job, session


def limit_viewport_points(scene: bpy.types.Scene) -> None:
    """Apply the scene's limit to all its imports."""
    for collection in find_imports(scene):
        limit_points(collection, scene.recon3d.viewport_points)


def import_result(scene: bpy.types.Scene, folder: Path) -> ImportResult:
    """Import a folder into a scene, show it, and store notes for the panel. Raises UserError.

    The user's own data stays unchanged, except that an unmodified default cube is hidden, which is reported, and that
    the active 3D view changes.
    """
    return run(import_in_steps(scene, folder))


def _is_to_scale(workspace: Workspace) -> bool:
    """Whether its placement has a scale: set by the user, or by the photos' GPS."""
    if workspace.placed.is_file():
        return True
    try:
        return read_document(PlacementDocument, workspace.placement, "").gps is not None
    except UserError:  # none, or a folder of another program
        return False


def import_in_steps(scene: bpy.types.Scene, folder: Path, viewport_points: int = 0) -> Steps[ImportResult]:
    """What `import_result` does. viewport_points: of a cloud shown in the viewport, at most; 0: the scene's setting."""
    seen = photo_view.seen_photo(scene)
    result = yield from workspace_in_steps(folder, scene)
    chosen_folders.remember(Workspace(folder).root)
    if _is_to_scale(Workspace(folder)):
        result.collection[KEY][SCALED] = True
    hidden = live.has_hidden_cube(scene)
    live.remove_live(scene)
    hidden = hide_default_cube(scene) or hidden
    if nothing_is_chosen(scene):
        make_active(result.mesh or result.cloud)
    limit_points(result.collection, viewport_points or scene.recon3d.viewport_points)
    show_result(result)
    photo_list.fill(scene, folder)
    if seen and scene.camera is None:  # the camera belonged to the import being updated
        photo_view.look_again(scene, result.cameras.get(seen))
    notes = (Said("The default cube is hidden."),) if hidden else ()
    session.notes = (result.summary(), *notes, *result.notes)
    session.result = result
    return result


def import_beside(scene: bpy.types.Scene, folder: Path) -> ImportResult:
    """Import a model in addition to the panel's current result, whose review stays. Raises UserError."""
    return run(beside_in_steps(scene, folder))


def beside_in_steps(scene: bpy.types.Scene, folder: Path) -> Steps[ImportResult]:
    """What `import_beside` does."""
    result = yield from workspace_in_steps(folder, scene)
    limit_points(result.collection, scene.recon3d.viewport_points)
    frame_result(result)
    return result


def import_later(work: Callable[[bpy.types.Scene], Steps[None]]) -> None:
    """Let the window import what another process has made, as soon as nothing else is going on in it."""
    session.waiting = work
    timer.watch("import", _import_when_possible)


def waiting_in_steps(scene: bpy.types.Scene) -> Steps[str | None]:
    """The import that waits; returns its message. What fails is said in the panel: nobody has pressed a button."""
    work, session.waiting = session.waiting, None
    if work is None:
        return None
    try:
        yield from work(scene)
    except UserError as error:
        session.notes = (error.sentence,)
        return None
    finally:
        live.remove_live(scene)
    return session.notes[0] if session.notes else None


def _import_when_possible() -> tuple[bool, bool]:
    """By the operator, which can be cancelled, once no other one holds the window."""
    scene, windows = scene_of_job(), bpy.context.window_manager.windows
    if scene is None or session.running or session.waiting is None:
        session.waiting = None
        return False, False
    if any(len(getattr(window, "modal_operators", ())) for window in windows):
        return False, True
    window = next((window for window in windows if window.scene == scene), None)
    if window is None:
        run(waiting_in_steps(scene))
        return True, False
    with bpy.context.temp_override(window=window, screen=window.screen, scene=scene):
        bpy.ops.recon3d.import_waiting("INVOKE_DEFAULT", True)
    return True, False
