"""Visibility of an import's parts: cameras, cloud, mesh, and the cameras' background photos."""

from __future__ import annotations

import bpy

from ..pipeline.errors import UserError
from .find_imports import CELL, CLEANED, CLOUD, SURFACES, hide, is_hidden, kind_of, objects_of, parts_by_kind
from .point_display import limit_viewport

CAMERAS, PHOTOS, CLOUDS, MESHES = "CAMERAS", "PHOTOS", "CLOUDS", "MESHES"


def is_shown(collection: bpy.types.Collection, what: str) -> bool:
    """Whether these are visible; False if there are none."""
    if what == CAMERAS:
        layer = _cameras_layer(collection)
        return layer is not None and not layer.hide_viewport
    if what == PHOTOS:
        cameras = next(
            (child for child in collection.children_recursive if kind_of(child) == "cameras"), None
        )
        camera = next((obj for obj in cameras.objects if kind_of(obj) == "camera"), None) if cameras else None
        return camera is not None and camera.data.show_background_images
    return any(not is_hidden(obj) for obj in _things(collection, what))


def show(collection: bpy.types.Collection, what: str, shown: bool) -> None:
    """Show or hide these. UserError if there are none.

    Of several clouds or meshes, only the newest is shown: of a cloud in cells, these.
    """
    if what == CAMERAS:
        layer = _cameras_layer(collection)
        if layer is None:
            raise UserError("This reconstruction has no cameras in this view layer: import the result again.")
        layer.hide_viewport = not shown
        return
    if what == PHOTOS:
        for data in {camera.data for camera in objects_of(collection, "camera")}:
            data.show_background_images = shown
        return
    things = _things(collection, what)
    if not things:
        name = "cloud" if what == CLOUDS else "mesh"
        raise UserError(f"This reconstruction has no {name} yet.")
    newest = [obj for obj in things if kind_of(obj) == kind_of(things[-1])] if what == CLOUDS else things[-1:]
    hide(*(newest if shown else things), hidden=not shown)


def limit_points(collection: bpy.types.Collection, points: int) -> None:
    """Show at most that many points of each of the import's clouds in the viewport."""
    parts = parts_by_kind(collection)
    for kind in (CLOUD, CLEANED, CELL):
        limit_viewport(parts.get(kind, ()), points)


def _things(collection: bpy.types.Collection, what: str) -> list[bpy.types.Object]:
    parts = parts_by_kind(collection)
    kinds = (CLOUD, CLEANED, CELL) if what == CLOUDS else SURFACES
    return [obj for kind in kinds for obj in parts.get(kind, ())]


def _cameras_layer(collection: bpy.types.Collection) -> bpy.types.LayerCollection | None:
    """The view layer's settings for the collection of the cameras."""
    layer = bpy.context.view_layer
    pending = [layer.layer_collection] if layer else []
    names = {child.name for child in collection.children_recursive if kind_of(child) == "cameras"}
    while pending:
        current = pending.pop()
        if current.collection.name in names:
            return current
        pending += list(current.children)
    return None
