"""Scale a result from GPS or printed markers in its photos: the engine places it, and it is imported again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from .. import preferences
from ..engine_setup import engine_process
from ..languages.panel_wording import in_panel
from ..pipeline.errors import UserError
from ..pipeline.text import printable
from ..scene.find_imports import current_import, workspace_of
from ..scene.stepwise import Steps, run
from . import current_job, result_import, timer
from .engine_query import EngineQuery


@dataclass
class _Placing:
    """The running engine query. scene_uid: of the scene with the result."""

    query: EngineQuery | None = None
    folder: Path = Path()
    scene_uid: int = 0


_placing = _Placing()


def is_running() -> bool:
    return _placing.query is not None and _placing.query.running


def start(scene: bpy.types.Scene, words: Sequence[str]) -> None:
    """Start the engine. words: options of `recon3d place`. Raises UserError."""
    if is_running() or current_job.session.running:
        raise UserError("The engine is busy: wait until it is done, or cancel it.")
    folder = workspace_of(current_import(scene))
    command = engine_process.command(preferences.find_python(), ["place", str(folder), *words, "--json"])
    _placing.query = EngineQuery(command, engine_process.environment())
    _placing.folder, _placing.scene_uid = folder, scene.session_uid


def follow_in_background() -> None:
    """Poll it from Blender's event loop."""
    timer.watch("world scale", _tick)


def wait() -> str:
    """Block until the engine has answered, and return a message. Raises UserError in the panel's wording, even for
    scripts, since the operator does not have the command's options."""
    try:
        _placing.query.wait()
    except UserError as error:
        raise UserError(in_panel(error.sentence), error.exit_code) from error
    return run(_import_placed_in_steps(bpy.context.scene))


def _tick() -> tuple[bool, bool]:
    query = _placing.query
    if query is None or not query.poll() or query.running:
        return False, is_running()
    current_job.session.scene_uid = _placing.scene_uid
    result_import.import_later(_noted_in_steps)
    return True, False


def _noted_in_steps(scene: bpy.types.Scene) -> Steps[None]:
    current_job.session.notes = ((yield from _import_placed_in_steps(scene)),)


def _import_placed_in_steps(scene: bpy.types.Scene) -> Steps[str]:
    """Import the placed result; returns a message on how it was placed."""
    answer = _placing.query.wait()
    yield from result_import.import_in_steps(scene, _placing.folder)
    return f"Placed: {printable(str(answer.get('how', '')))}."
