"""Photos in: upright, safely named, grouped into cameras, unfit ones excluded with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..events import Progress
from ..files.user_path import user_path
from ..job_forecast import Facts
from ..stage import Stage
from ..stage_settings import PhotosSettings
from ..wording import Sentence, option
from ..workspace import Workspace

if TYPE_CHECKING:
    from ..settings import JobSettings


def inputs(workspace: Workspace, settings: PhotosSettings) -> Any:
    from ..masking import own_masks
    from ..photos.camera_groups import check_camera
    from ..photos.find_photos import find_photos

    check_masks(settings)
    photos, videos = find_photos(settings.sources, workspace.root, settings.mask_files)
    check_camera(settings)
    own = sorted(own_masks.identity(workspace, settings.masks).items())
    return [_identity(path) for path in [*photos, *videos, *mask_paths(settings)]] + own


def mask_paths(settings: PhotosSettings) -> list[Path]:
    """The folder of masks with all that is in it, or the photo of the empty scene."""
    given = user_path(settings.mask_files).absolute() if settings.mask_files else None
    return [] if given is None else sorted(given.rglob("*")) if given.is_dir() else [given]


def _identity(path: Path) -> list[Any]:
    """Identifies a version of a file; a broken link is excluded later, with the reason."""
    try:
        stat = path.stat()
    except OSError:
        return [str(path), None, None]
    return [str(path), stat.st_size, stat.st_mtime_ns]


def check_masks(settings: PhotosSettings) -> None:
    """UserError (2) if the files that they name do not exist."""
    if settings.mask_files and not user_path(settings.mask_files).exists():
        raise UserError(
            Sentence(
                f"The folder of masks, or photo of the empty scene, {settings.mask_files} does not exist: check ",
                option("masks"),
                ".",
            ),
            2,
        )


def still_valid(workspace: Workspace, settings: JobSettings, progress: Progress) -> bool:
    """Whether photos were only removed or moved."""
    from ..photos.photo_sources import still_the_same

    return still_the_same(workspace, settings, progress)


def owns(workspace: Workspace) -> Sequence[Path]:
    return (workspace.photos, workspace.sources, workspace.images, workspace.masks, workspace.masks_json, workspace.frames)


def forecast(facts: Facts) -> float:
    return 0.02 * facts.megapixels_taken  # decoded and examined


def run(workspace: Workspace, settings: PhotosSettings, progress: Progress) -> dict[str, Any]:
    from ..photos.bring_in_photos import bring_in_photos

    return bring_in_photos(workspace, settings, progress)


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
)
