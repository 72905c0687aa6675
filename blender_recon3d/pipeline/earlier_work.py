"""Keeps features and matches of unchanged photos when others are added, removed or regrouped: earlier/.

A stage that has to run again starts from scratch, since its results belong together. Its results for a single photo
are still valid if the photo is unchanged: before they are removed, the stage saves them (`Stage.set_aside`), and if its
own settings have not changed, it takes back what fits (`Stage.take_back`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from .documents.document_files import read_document, write_document
from .documents.earlier_json import EarlierDocument, EarlierStage
from .errors import UserError
from .events import Progress
from .files.atomic_files import atomic_folder, remove
from .stage import Stage, dependents
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
        if stage.take_back
    }
    try:
        photos = photo_hashes(workspace, progress)
    except UserError:  # photos.json is damaged
        return
    with atomic_folder(workspace.earlier) as part:
        for stage in hosts:
            assert stage.set_aside
            stage.set_aside(workspace, part)
        write_document(part / DOCUMENT, EarlierDocument(photos=photos, stages=stages))


def take_back(
    stage: Stage, workspace: Workspace, same: Callable[[EarlierStage], bool], progress: Progress
) -> None:
    """Before the stage runs: restore what is still valid of an earlier run. same: whether its settings are
    unchanged."""
    if not stage.take_back or not workspace.earlier.is_dir():
        return
    try:
        earlier = read_document(EarlierDocument, workspace.earlier / DOCUMENT, "")
        known = earlier.stages.get(stage.name)
        if known is None or not same(known):
            return
        now = photo_hashes(workspace, progress)
        by_content = {content: name for name, content in sorted(earlier.photos.items())}
        names = {name: by_content[content] for name, content in now.items() if content in by_content}
        stage.take_back(workspace, names, progress)
    except UserError:  # damaged: the stage computes everything again
        remove(workspace.earlier)


def forget(stage: Stage, workspace: Workspace) -> None:
    """Remove earlier/ once the last stage that takes something back is done."""
    if stage.take_back and not any(stage_of(other).take_back for other in dependents(stage.name)):
        remove(workspace.earlier)


def photo_hashes(workspace: Workspace, progress: Progress) -> dict[str, str]:
    """SHA-256 of each used photo's copy and of its mask, by its name."""
    from .files.regular import content_hash
    from .photos.photo_entries import in_threads

    names = [photo.name for photo in workspace.used_photos()]
    paths = [workspace.images / name for name in names] + [workspace.masks / f"{name}.png" for name in names]
    hashes = in_threads([partial(content_hash, path) for path in paths], progress, "comparing")
    entries = zip(names, hashes[: len(names)], hashes[len(names) :], strict=True)
    return {name: f"{photo} {mask}".strip() for name, photo, mask in entries if photo}
