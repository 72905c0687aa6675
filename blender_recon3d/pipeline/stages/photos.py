"""Photos in: upright, safely named, grouped into cameras, unfit ones excluded with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..events import Progress
from ..job_forecast import Facts
from ..stage import Stage
from ..stage_settings import PhotosSettings
from ..workspace import Workspace

if TYPE_CHECKING:
    from ..settings import JobSettings


def inputs(workspace: Workspace, settings: PhotosSettings) -> Any:
    from ..masking import own_masks
    from ..photos.camera_groups import check_camera
    from ..photos.find_photos import find_photos
    from ..photos.mask_files import check_mask_files, mask_paths

    check_mask_files(settings)
    photos, videos = find_photos(settings.sources, workspace.root, settings.mask_files)
    check_camera(settings)
    own = sorted(own_masks.identity(workspace, settings.masks).items())
    return [_identity(path) for path in [*photos, *videos, *mask_paths(settings)]] + own


def _identity(path: Path) -> list[Any]:
    """Identifies a version of a file; a broken link is excluded later, with the reason."""
    try:
        stat = path.stat()
    except OSError:
        return [str(path), None, None]
    return [str(path), stat.st_size, stat.st_mtime_ns]


def still_valid(workspace: Workspace, settings: JobSettings, progress: Progress) -> bool:
    """Whether photos were only removed or moved."""
    from ..masking.own_masks import are_unchanged
    from ..photos.photo_sources import still_the_same

    unchanged = are_unchanged(workspace, settings.of(PhotosSettings).masks)
    return unchanged and still_the_same(workspace, settings, progress)


def owns(workspace: Workspace) -> Sequence[Path]:
    return (
        workspace.photos,
        workspace.sources,
        workspace.images,
        workspace.masks,
        workspace.masks_json,
        workspace.frames,
    )


def set_aside(workspace: Workspace, folder: Path) -> None:
    """The masks, of which some depend on all photos."""
    for path in (workspace.masks, workspace.masks_json):
        if path.exists():
            path.replace(folder / path.name)


def forecast(facts: Facts) -> float:
    return 0.002 * facts.photos + 0.02 * facts.megapixels_taken  # decoded and examined


def run(workspace: Workspace, settings: PhotosSettings, progress: Progress) -> dict[str, Any]:
    from ..masking.make_masks import make_masks
    from ..photos.bring_in_photos import bring_in_photos

    taken = bring_in_photos(workspace, settings, progress)
    masked = make_masks(workspace, settings, taken.base, taken.used, progress)
    message = taken.summary["message"] + (f", {masked} masked" if masked else "")
    return {**taken.summary, "message": message}


STAGE = Stage(
    name="photos",
    title="Reading photos",
    makes="Photos",
    version=1,
    settings=PhotosSettings,
    inputs=inputs,
    run=run,
    owns=owns,
    leaves=lambda workspace: (workspace.photos, workspace.images),
    may_leave=lambda workspace: (workspace.masks, workspace.masks_json),
    forecast=forecast,
    still_valid=still_valid,
    set_aside=set_aside,
)
