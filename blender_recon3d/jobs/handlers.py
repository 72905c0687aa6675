"""Handlers for when Blender has started or loaded a file, to find a run in progress, and for changed properties."""

from __future__ import annotations

import bpy

from .. import engine_properties, properties
from ..scene.reviewing import mask_images, photo_view
from . import result_import, session, timer


@bpy.app.handlers.persistent
def _loaded(*_: object) -> None:
    if not bpy.app.background:
        timer.watch("find running", _find)


def _find() -> tuple[bool, bool]:
    """Called a tick later: nothing may be changed while a file is loading or an add-on is being registered."""
    if not session.is_of(bpy.context.scene):
        session.forget_last()
    session.find_running(bpy.context.scene)
    session.paths_changed(bpy.context.scene)
    return True, False


@bpy.app.handlers.persistent
def _adopt(*_: object) -> None:
    """Convert settings that the file stores under earlier names."""
    for scene in bpy.data.scenes:
        engine_properties.adopt_earlier_names(scene.recon3d.advanced)


def register() -> None:
    properties.when_paths_change.append(session.other_paths)
    properties.when_photo_is_chosen += [photo_view.look_through_chosen, mask_images.show_mask]
    properties.when_masks_are_shown.append(mask_images.show_mask)
    properties.when_viewport_points_change.append(result_import.limit_viewport_points)
    bpy.app.handlers.load_post.append(_adopt)
    bpy.app.handlers.load_post.append(_loaded)
    _loaded()


def unregister() -> None:
    bpy.app.handlers.load_post.remove(_loaded)
    bpy.app.handlers.load_post.remove(_adopt)
    properties.when_paths_change.clear()
    properties.when_photo_is_chosen.clear()
    properties.when_masks_are_shown.clear()
    properties.when_viewport_points_change.clear()
