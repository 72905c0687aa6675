"""The photos of a scene: a folder, a video, or some of the files and folders in a folder.

A choice of several is kept as their common folder, `photos`, and their paths inside it. A path in a .blend file from
someone else cannot lead outside of that folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import bpy

from ..pipeline.errors import UserError
from ..pipeline.photos.extensions import VIDEO_EXTENSIONS
from ..pipeline.photos.find_photos import MIN_PHOTOS


def chosen_paths(directory: str, files: Sequence[str], folders: Sequence[str]) -> list[str]:
    """What a choice in the file browser means: these files and folders, or the whole folder.

    Fewer photos than a reconstruction needs stand for all in their folder: one photo is enough to show where they are.
    """
    videos = [name for name in files if Path(name).suffix.lower() in VIDEO_EXTENSIONS]
    # Without a selected folder, Blender's file browser names the shown one, by its whole path.
    folders = [name for name in folders if name not in (".", "..") and not os.path.isabs(name)]
    if not folders and not videos and len(files) < MIN_PHOTOS:
        return [directory]
    if len(videos) == 1 and not folders and len(files) < MIN_PHOTOS:
        files = videos  # its cover image is beside it
    return [os.path.join(directory, name) for name in (*folders, *files)]


def set_photos(settings: bpy.types.AnyType, paths: Sequence[str]) -> None:
    """Choose these files and folders, at least one. Raises UserError if they have no folder in common."""
    paths = list(dict.fromkeys(paths))
    if len(paths) == 1:
        settings.chosen.clear()
        settings.photos = paths[0]
        return
    absolute = [os.path.abspath(bpy.path.abspath(path)) for path in paths]
    try:
        base = os.path.commonpath([os.path.dirname(path) for path in absolute])
    except ValueError as error:
        raise UserError("The photos are on different drives: copy them to one folder.", 2) from error
    settings.chosen.clear()
    for path in dict.fromkeys(absolute):
        settings.chosen.add().path = os.path.relpath(path, base)
    settings.chosen_in = base
    settings.photos = base


def photo_sources(settings: bpy.types.AnyType) -> tuple[Path, ...]:
    """Absolute paths of the chosen files and folders; empty if none are chosen."""
    if not settings.photos:
        return ()
    base = Path(bpy.path.abspath(settings.photos))
    return tuple(base / path for path in names_chosen(settings)) or (base,)


def number_chosen(settings: bpy.types.AnyType) -> int:
    """How many files and folders inside `photos` are chosen; 0: all of it."""
    return len(settings.chosen) if settings.chosen_in == settings.photos else 0


def beside(settings: bpy.types.AnyType) -> Path | None:
    """What the results lie beside: the folder of the chosen photos, or the first of several folders."""
    if not settings.photos:
        return None
    base = Path(bpy.path.abspath(settings.photos))
    first = settings.chosen[0].path if number_chosen(settings) else ""
    is_photo = os.path.dirname(first) == "" and os.path.splitext(first)[1]
    return base / first if _is_inside(first) and not is_photo else base


def names_chosen(settings: bpy.types.AnyType) -> list[str]:
    """The paths, inside `photos`, of the chosen files and folders; empty: all of it."""
    if settings.chosen_in != settings.photos:  # another folder was typed since
        return []
    return [item.path for item in settings.chosen if _is_inside(item.path)]


def choose_again(settings: bpy.types.AnyType, photos: str, names: Iterable[str]) -> None:
    """Choose what `photos` and `names_chosen` were."""
    paths = [os.path.join(photos, name) for name in names if _is_inside(name)]
    set_photos(settings, paths or [photos])


def _is_inside(path: str) -> bool:
    """Whether a relative path stays in its folder on any system."""
    parts = path.replace("\\", "/").split("/")
    return bool(parts[0]) and ":" not in parts[0] and ".." not in parts
