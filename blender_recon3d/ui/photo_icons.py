"""Thumbnails of the photos, which Blender loads in the background when a row is first drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import bpy.utils.previews

from ..chosen_folders import is_chosen
from ..properties import photos_path, workspace_path

MAX_KEPT = 500  # thumbnails; beyond that all are cleared and loaded again


class _Holder:
    pictures: Any = None


def icon_of(scene: bpy.types.Scene, item: bpy.types.AnyType) -> int:
    """The icon of a photo's thumbnail; 0 if there is none. Reads only folders that were chosen on this machine."""
    pictures = _Holder.pictures
    path = _path_of(scene, item)
    if pictures is None or not path:
        return 0
    if path not in pictures:
        if not Path(path).is_file():
            return 0
        if len(pictures) >= MAX_KEPT:
            pictures.clear()
        pictures.load(path, path, "IMAGE")
    return int(pictures[path].icon_id)


def _path_of(scene: bpy.types.Scene, item: bpy.types.AnyType) -> str:
    """The engine's upright copy of the photo; for an excluded one, the original."""
    folder, photos = workspace_path(scene.recon3d), photos_path(scene.recon3d)
    if item.photo and folder is not None and is_chosen(folder):
        return str(folder / "images" / Path(item.photo).name)
    if item.source and photos is not None and is_chosen(photos) and photos in Path(item.source).parents:
        return str(item.source)
    return ""


def register() -> None:
    _Holder.pictures = bpy.utils.previews.new()


def unregister() -> None:
    bpy.utils.previews.remove(_Holder.pictures)
    _Holder.pictures = None
