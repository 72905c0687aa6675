"""One module a verb; an operator's body is one call."""

from __future__ import annotations

import bpy

from . import export_cameras, import_result, reconstruct

_CLASSES = (*reconstruct.CLASSES, *import_result.CLASSES, *export_cameras.CLASSES)


def register() -> None:
    for cls in _CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
