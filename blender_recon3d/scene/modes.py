"""Leave Edit Mode temporarily, in which Blender stores a mesh's data elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy


@contextmanager
def object_mode() -> Iterator[None]:
    """Object Mode inside the block, the previous mode after it; from any mode, with or without a window.

    Selections and deletions made in the block persist.
    """
    layer = bpy.context.view_layer
    active = layer.objects.active if layer else None
    mode = active.mode if active is not None else "OBJECT"
    if mode == "OBJECT":
        yield
        return
    name = active.name
    _set(active, "OBJECT")
    try:
        yield
    finally:
        again = layer.objects.get(name)
        if again is not None and again == layer.objects.active and not again.hide_get(view_layer=layer):
            _set(again, mode)


def _set(active: bpy.types.Object, mode: str) -> None:
    with bpy.context.temp_override(active_object=active, object=active):
        bpy.ops.object.mode_set(mode=mode)
