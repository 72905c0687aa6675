"""The operators: one module per verb; an operator's body is one call."""

from __future__ import annotations

import bpy

from . import (
    choose,
    clean,
    crop,
    engine,
    export_asset,
    export_cameras,
    free_disk_space,
    hole_tools,
    import_alignment,
    import_result,
    lasso,
    mask,
    mesh,
    place,
    preset_files,
    reconstruct,
    remedy,
    reproject,
    review,
    show,
    use_scene_cameras,
)

_CLASSES = (
    *choose.CLASSES, *reconstruct.CLASSES, *remedy.CLASSES, *import_result.CLASSES, *import_alignment.CLASSES,
    *review.CLASSES, *export_cameras.CLASSES, *engine.CLASSES, *clean.CLASSES, *crop.CLASSES, *lasso.CLASSES,
    *place.CLASSES, *mesh.CLASSES, *hole_tools.CLASSES, *reproject.CLASSES, *export_asset.CLASSES,
    *show.CLASSES, *preset_files.CLASSES, *use_scene_cameras.CLASSES, *mask.CLASSES, *free_disk_space.CLASSES,
)  # fmt: skip


def register() -> None:
    for cls in _CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
