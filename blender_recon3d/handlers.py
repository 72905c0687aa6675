"""What happens when Blender has started or loaded a file: a run that is at work is found again."""

from __future__ import annotations

import bpy

from . import clock, session


@bpy.app.handlers.persistent
def _loaded(*_: object) -> None:
    if not bpy.app.background:
        clock.watch("find running", _find)


def _find() -> tuple[bool, bool]:
    """A tick later: while a file is being loaded or an add-on registered, nothing may be changed."""
    session.find_running(bpy.context.scene)
    session.paths_changed(bpy.context.scene)
    return True, False


def register() -> None:
    bpy.app.handlers.load_post.append(_loaded)
    _loaded()


def unregister() -> None:
    bpy.app.handlers.load_post.remove(_loaded)
