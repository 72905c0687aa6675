"""Keeps what is still valid when photos are added, removed or regrouped: earlier/.

A stage that has to run again starts from scratch, since its results belong together. Its results for a single photo
are still valid if the photo is unchanged: before they are removed, the stage saves them (`Stage.set_aside`), and if its
own settings have not changed, it takes back what fits (`Stage.take_back`) or continues from it (`Stage.grows_with`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from .documents.document_files import read_document, write_document
from .documents.earlier_json import EarlierDocument, EarlierStage, SamePhotosDocument
from .errors import UserError
from .events import Progress
from .files.atomic_files import atomic_folder, remove
from .stage import STAGES, Stage, dependents
from .stage import stage as stage_of
from .workspace import Workspace

DOCUMENT = "earlier.json"


def put_aside(name: str, workspace: Workspace, progress: Progress) -> None:
    """Save the reusable results of the stages that depend on this one, which is about to start from scratch."""
    state = workspace.read_state()
    done = [stage_of(other) for other in dependents(name) if state.stage(other).done]
    hosts = [stage for stage in done if stage.set_aside]
    if not hosts or not workspace.photos.exists():
        return
    stages = {
        stage.name: EarlierStage(
            fingerprint=state.stage(stage.name).fingerprint,
            needs=[state.stage(need).fingerprint for need in stage.needs],
        )
        for stage in done
    }
    try:
        photos = photo_hashes(workspace, progress)
    except UserError:  # photos.json is damaged
        return
    with atomic_folder(workspace.earlier) as part:
        for stage in [stage for stage in (stage_of(name),) if stage.set_aside and name == STAGES[0]] + hosts:
            assert stage.set_aside
            stage.set_aside(workspace, part)
        write_document(part / DOCUMENT, EarlierDocument(photos=photos, stages=stages))


def take_back(
    stage: Stage, workspace: Workspace, same: Callable[[str, EarlierStage], bool], progress: Progress
) -> None:
    """Before the stage runs: restore what is still valid of an earlier run. same: whether the settings of the stage of
    this name are unchanged."""
    if not _keeps(stage) or not workspace.earlier.is_dir():
        return
    remove(_same_photos_file(workspace, stage.name))
    try:
        earlier = read_document(EarlierDocument, workspace.earlier / DOCUMENT, "")
        wanted = [stage.name, *(need for need in stage.grows_with if need in earlier.stages)]
        if not all(name in earlier.stages and same(name, earlier.stages[name]) for name in wanted):
            return
        now = photo_hashes(workspace, progress)
        by_content = {content: name for name, content in sorted(earlier.photos.items())}
        names = {name: by_content[content] for name, content in now.items() if content in by_content}
        if stage.take_back:
            stage.take_back(workspace, names, progress)
        write_document(_same_photos_file(workspace, stage.name), SamePhotosDocument(photos=names))
    except UserError:  # damaged: the stage computes everything again
        remove(workspace.earlier)


def photos_before(workspace: Workspace) -> dict[str, str]:
    """SHA-256 of each photo's copy and of its mask in the earlier results, by its name there; empty without any."""
    try:
        return read_document(EarlierDocument, workspace.earlier / DOCUMENT, "").photos
    except UserError:
        return {}


def same_photos(workspace: Workspace, name: str) -> dict[str, str]:
    """The earlier name of each photo that is unchanged, by its current one; empty where the stage of this name cannot
    use its earlier result."""
    path = _same_photos_file(workspace, name)
    if not path.exists():
        return {}
    try:
        return read_document(SamePhotosDocument, path, "").photos
    except UserError:
        return {}


def forget(stage: Stage, workspace: Workspace) -> None:
    """Remove earlier/ once the last stage that can use it is done."""
    if not _keeps(stage) or not workspace.earlier.exists():
        return
    try:
        stages = read_document(EarlierDocument, workspace.earlier / DOCUMENT, "").stages
    except UserError:
        stages = {}
    later = STAGES[STAGES.index(stage.name) + 1 :]
    if not any(_keeps(stage_of(other)) and other in stages for other in later):
        remove(workspace.earlier)


def _keeps(stage: Stage) -> bool:
    return bool(stage.take_back or stage.grows_with)


def _same_photos_file(workspace: Workspace, name: str) -> Path:
    return workspace.earlier / f"{name}.json"


def photo_hashes(workspace: Workspace, progress: Progress) -> dict[str, str]:
    """SHA-256 of each used photo's copy and of its mask, by its name."""
    from .files.regular import content_hash
    from .photos.photo_entries import in_threads

    names = [photo.name for photo in workspace.used_photos()]
    paths = [workspace.images / name for name in names] + [workspace.masks / f"{name}.png" for name in names]
    hashes = in_threads([partial(content_hash, path) for path in paths], progress, "comparing")
    entries = zip(names, hashes[: len(names)], hashes[len(names) :], strict=True)
    return {name: f"{photo} {mask}".strip() for name, photo, mask in entries if photo}
