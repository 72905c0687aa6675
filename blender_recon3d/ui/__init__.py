"""Panels and lists. They only display; all logic is elsewhere."""

from __future__ import annotations

import bpy

from . import (
    advanced,
    asset,
    camera_colors,
    engine,
    job_status,
    main,
    manual,
    mask_panel,
    menus,
    photo_icons,
    preferences,
    result,
    review,
)

_CLASSES = (
    *main.CLASSES,
    *advanced.CLASSES,
    *review.CLASSES,
    *mask_panel.CLASSES,
    *result.CLASSES,
    *asset.CLASSES,
    *engine.CLASSES,
    *menus.CLASSES,
)


def register() -> None:
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    preferences.register()
    job_status.register()
    menus.register()
    manual.register()
    photo_icons.register()
    camera_colors.register()


def unregister() -> None:
    camera_colors.unregister()
    photo_icons.unregister()
    manual.unregister()
    menus.unregister()
    job_status.unregister()
    preferences.unregister()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
