"""Inspect the chosen photos before reconstruction: the engine's `inspect`, in the background.

It restarts when other photos are chosen, and when files come into their folders or go; the number of files is known at
once, the rest as the photos are read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .. import preferences
from ..engine_setup import engine_process
from ..pipeline.documents.codec import FieldError, decode
from ..pipeline.documents.inspection_json import InspectionDocument
from ..pipeline.errors import UserError
from . import timer
from .engine_query import EngineQuery
from .folder_changes import FolderChanges

DELAY = 2  # ticks; a typed path changes with every key


@dataclass
class Inspection:
    """photos: the files and folders inspected. found: the engine's answer, None while running or after a failure."""

    photos: tuple[Path, ...]
    workspace: Path
    wait: int = DELAY
    query: EngineQuery | None = None
    count: str = ""  # 28 photos
    done: int = 0
    total: int = 0
    found: InspectionDocument | None = None
    error: str = ""

    @property
    def running(self) -> bool:
        return self.query is not None and self.query.running


class _Holder:
    current: Inspection | None = None
    changes: FolderChanges | None = None


_held = _Holder()


def current() -> Inspection | None:
    """The inspection of the currently chosen photos; None if there are none, or no engine."""
    return _held.current


def inspect(photos: tuple[Path, ...], workspace: Path | None) -> None:
    """Start inspecting these photos instead of any others."""
    if _held.current and _held.current.photos == photos:
        return
    forget()
    if not photos or workspace is None or preferences.engine_problem():
        return
    if not all(path.exists() for path in photos):
        return
    _held.current = Inspection(photos, workspace)
    _held.changes = FolderChanges(photos, workspace)
    timer.watch("inspection", _tick)


def watch_folders(when_changed: Callable[[], None], may_look: Callable[[], bool]) -> None:
    """From now on look at the photos again when files have come or gone. when_changed: called then; may_look: whether
    this is the time, which it is not while a job needs the disk."""

    def tick() -> tuple[bool, bool]:
        inspection, changes = _held.current, _held.changes
        if inspection is None or changes is None:
            return False, False
        changed = may_look() and changes.poll()
        if not changed or inspection.running or inspection.wait > 0:
            return False, True
        forget()
        inspect(inspection.photos, inspection.workspace)
        when_changed()
        return True, _held.current is not None

    timer.watch("folders", tick)


def forget() -> None:
    if _held.current and _held.current.query:
        _held.current.query.stop()
    _held.current, _held.changes = None, None


def _tick() -> tuple[bool, bool]:
    inspection = _held.current
    if inspection is None:
        return False, False
    if inspection.query is None:
        inspection.wait -= 1
        return _ask(inspection) if inspection.wait <= 0 else (False, True)
    if not inspection.query.poll():
        return False, inspection.query.running
    _take(inspection)
    return True, inspection.query.running


def _ask(inspection: Inspection) -> tuple[bool, bool]:
    try:
        python = preferences.find_python()
        words = ["inspect", "-o", str(inspection.workspace), "--json", "--device", preferences.device()]
        settings = {"photos": {"sources": [str(path) for path in inspection.photos]}}
        inspection.query = EngineQuery(
            engine_process.command(python, words), engine_process.environment(), settings
        )
    except UserError as error:
        inspection.error = error.sentence
        return True, False
    return True, True


def _take(inspection: Inspection) -> None:
    query = inspection.query
    for event in query.events:
        if event.kind == "info" and not inspection.count:
            inspection.count = event.message[:100]
        elif event.kind == "progress":
            inspection.done, inspection.total = event.done, event.total
    inspection.error = query.error
    if query.answer is not None:
        try:
            inspection.found = decode(InspectionDocument, query.answer)
        except FieldError as error:
            inspection.error = f"The engine's answer cannot be read ({error}): set up the engine again."
