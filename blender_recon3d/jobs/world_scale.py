"""The scale of a result from GPS or printed markers in its photos: the engine places it, and it is imported again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from .. import preferences
from ..engine_setup import engine_process
from ..pipeline.errors import UserError
from ..pipeline.text import printable
from ..scene.find_imports import current_import, workspace_of
from . import session, timer
from .engine_query import EngineQuery

# The engine's sentences name the options of `recon3d place`; here there are two buttons.
_WORDS = (
    ("use --marker-size or --scale", "use Markers or Scale from 2 Points"),
    ("check --marker-dictionary, and that", "check that"),
)


@dataclass
class _Placing:
    """The engine at work on a scale. scene_uid: of the scene whose result it is."""

    query: EngineQuery | None = None
    folder: Path = Path()
    scene_uid: int = 0


_placing = _Placing()


def is_running() -> bool:
    return _placing.query is not None and _placing.query.running


def start(scene: bpy.types.Scene, words: Sequence[str]) -> None:
    """Ask the engine. words: options of `recon3d place`. Raises UserError."""
    if is_running() or session.session.running:
        raise UserError("The engine is busy: wait for it or cancel it.")
    folder = workspace_of(current_import(scene))
    command = engine_process.command(preferences.find_python(), ["place", str(folder), *words, "--json"])
    _placing.query = EngineQuery(command, engine_process.environment())
    _placing.folder, _placing.scene_uid = folder, scene.session_uid


def follow_in_background() -> None:
    """Look after it from Blender's event loop."""
    timer.watch("world scale", _tick)


def wait() -> str:
    """Block until the engine has answered; a sentence. Raises UserError."""
    query = _placing.query
    while query is not None and query.running:
        query.poll()
        time.sleep(0.1)
    return _taken(bpy.context.scene)


def _tick() -> tuple[bool, bool]:
    query = _placing.query
    if query is None or not query.poll() or query.running:
        return False, is_running()
    scene = next((scene for scene in bpy.data.scenes if scene.session_uid == _placing.scene_uid), None)
    if scene is not None:
        try:
            session.session.notes = (_taken(scene),)
        except UserError as error:
            session.session.notes = (printable(str(error)),)
    return True, False


def _taken(scene: bpy.types.Scene) -> str:
    """Import what the engine has placed; how it is placed, as a sentence."""
    query = _placing.query
    if query is None or query.answer is None:
        raise UserError(_worded(query.error) if query else "The engine was not asked: try again.")
    session.import_result(scene, _placing.folder)
    return f"Placed: {printable(str(query.answer.get('how', '')))}."


def _worded(sentence: str) -> str:
    for said, shown in _WORDS:
        sentence = sentence.replace(said, shown)
    return sentence
