"""The workspace's record of its source photos, sources.json, so that it can continue without them.

Photos that were moved, or have a new date, count as the same if their content is the same.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ..documents.document_files import read_document, write_document
from ..documents.sources_json import SourceFile, SourcesDocument
from ..errors import UserError
from ..events import Progress
from ..files.regular import content_hash
from ..settings import JobSettings
from ..settings_file import job_of
from ..stage_settings import PhotosSettings
from ..workspace import Workspace
from .find_photos import common_folder, find_photos
from .mask_files import check_mask_files, mask_paths
from .photo_entries import in_threads

_IGNORED = ("photos", "masks", "device")  # paths, and where it is computed


def write_sources(workspace: Workspace, settings: PhotosSettings, progress: Progress) -> None:
    """Record the files that the settings refer to, with a hash of each."""
    files = _files(workspace, settings)
    base = common_folder(files) if files else Path()
    hashes = in_threads([partial(content_hash, path) for path in files], progress, "recording")
    entries = []
    for path, content in zip(files, hashes, strict=True):
        size, changed = _status(path)
        name = path.relative_to(base).as_posix()
        entries.append(SourceFile(path=str(path), name=name, size=size, mtime_ns=changed, sha256=content))
    document = SourcesDocument(given=_given(settings), settings=_settings(settings), files=entries)
    write_document(workspace.sources, document)


def still_the_same(workspace: Workspace, settings: JobSettings, progress: Progress) -> bool:
    """Whether the photos of this job are those in the workspace: either they are missing and the job has the same
    paths, or their content is the same elsewhere. Prints a message."""
    known = _read(workspace)
    if known is None:
        return _same_job(workspace, settings, progress)
    chosen = settings.of(PhotosSettings)
    if known.settings != _settings(chosen):
        return False
    try:
        files = _files(workspace, chosen)
    except UserError:
        files = []
    if not any(path.exists() for path in files):
        if known.given != _given(chosen):
            return False
        _say_away(chosen, progress)
        return True
    if not _same_content(files, known.files, progress):
        return False
    _remember(workspace, known, files, _given(chosen))
    return True


def changes(workspace: Workspace, settings: PhotosSettings) -> tuple[list[str], list[str]]:
    """The names of the files that are new, and of those that are gone, since the workspace's last run.

    By name and size, without reading them. Both are empty if it has had no run.
    """
    known = _read(workspace)
    if known is None:
        return [], []
    before = Counter((Path(entry.name).name, entry.size) for entry in known.files)
    now = Counter((path.name, _status(path)[0]) for path in _files(workspace, settings))
    return sorted(name for name, _ in (now - before).elements()), sorted(
        name for name, _ in (before - now).elements()
    )


def _same_content(files: list[Path], known: list[SourceFile], progress: Progress) -> bool:
    """Whether these files are the known ones in the same order; hashes those with another path or date."""
    if len(files) != len(known):
        return False
    base = common_folder(files)
    doubtful, moved = [], False
    for path, entry in zip(files, known, strict=True):
        size, changed = _status(path)
        if path.relative_to(base).as_posix() != entry.name or size != entry.size:
            return False
        moved = moved or str(path) != entry.path
        if (str(path), changed) != (entry.path, entry.mtime_ns):
            doubtful.append((path, entry.sha256))
    hashes = in_threads([partial(content_hash, path) for path, _ in doubtful], progress, "comparing")
    if any(new_hash != known_hash for new_hash, (_, known_hash) in zip(hashes, doubtful, strict=True)):
        return False
    if moved:
        progress.info("The photos were moved, but their content is the same: the results are kept.")
    return True


def _remember(workspace: Workspace, known: SourcesDocument, files: list[Path], given: list[str]) -> None:
    """Record where the known files are now, so that they are not hashed again, and the folders given."""
    now = [(str(path), _status(path)[1]) for path in files]
    if now == [(entry.path, entry.mtime_ns) for entry in known.files] and given == known.given:
        return
    moved = [
        replace(entry, path=path, mtime_ns=changed)
        for entry, (path, changed) in zip(known.files, now, strict=True)
    ]
    write_document(workspace.sources, replace(known, given=given, files=moved))


def _same_job(workspace: Workspace, settings: JobSettings, progress: Progress) -> bool:
    """For workspaces without sources.json: the photos are missing, and the last job had the same paths."""
    now = settings.of(PhotosSettings)
    try:
        before = job_of(json.loads(workspace.job.read_text("utf-8")), workspace.job).of(PhotosSettings)
        _files(workspace, now)
    except (OSError, ValueError):
        return False
    except UserError:
        if before != now:
            return False
        _say_away(now, progress)
        return True
    return False


def _say_away(settings: PhotosSettings, progress: Progress) -> None:
    where = ", ".join(settings.sources)
    progress.info(f"The photos are no longer in {where}: the workspace's copies are used.")


def _files(workspace: Workspace, settings: PhotosSettings) -> list[Path]:
    check_mask_files(settings)
    photos, videos = find_photos(settings.sources, workspace.root, settings.mask_files)
    return [*photos, *videos, *(path for path in mask_paths(settings) if path.is_file())]


def _given(settings: PhotosSettings) -> list[str]:
    return [*settings.sources, settings.mask_files]


def _settings(settings: PhotosSettings) -> dict[str, Any]:
    """As read back from JSON, with whether there are masks, but not their path."""
    values = settings.recorded()
    values["has_masks"] = bool(settings.mask_files)
    if not settings.mask_files and settings.masks != "auto":
        values["masks_from"] = settings.masks
    relevant = {name: value for name, value in values.items() if name not in _IGNORED}
    result: dict[str, Any] = json.loads(json.dumps(relevant, default=str))
    return result


def _status(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:  # a link to nowhere
        return -1, -1
    return status.st_size, status.st_mtime_ns


def _read(workspace: Workspace) -> SourcesDocument | None:
    """sources.json; None if it is missing or damaged."""
    try:
        return read_document(SourcesDocument, workspace.sources, "")
    except UserError:
        return None
