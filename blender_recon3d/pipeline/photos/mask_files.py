"""The files that the setting `masks` names: a folder of masks, or a photo of the empty scene. Standard library only."""

from __future__ import annotations

from pathlib import Path

from ..errors import UserError
from ..files.user_path import user_path
from ..stage_settings import PhotosSettings
from ..wording import Sentence, option


def check_mask_files(settings: PhotosSettings) -> None:
    """UserError (2) if they do not exist."""
    if settings.mask_files and not user_path(settings.mask_files).exists():
        raise UserError(
            Sentence(
                f"The folder of masks, or photo of the empty scene, {settings.mask_files} does not exist: check ",
                option("masks"),
                ".",
            ),
            2,
        )


def mask_paths(settings: PhotosSettings) -> list[Path]:
    """All that is in the folder of masks, or the photo of the empty scene."""
    if not settings.mask_files:
        return []
    path = user_path(settings.mask_files).absolute()
    return sorted(path.rglob("*")) if path.is_dir() else [path]
