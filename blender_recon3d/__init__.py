"""Recon3D: photos in, a clean Blender asset out. The add-on; importable without bpy, since the engine uses it too."""

from __future__ import annotations

from types import ModuleType


def _parts() -> tuple[ModuleType, ...]:
    """In the order in which they are registered."""
    from . import command_line, operators, preferences, properties, translations, ui
    from .jobs import handlers

    return preferences, properties, operators, ui, command_line, translations, handlers


def register() -> None:
    """Called by Blender when the add-on is enabled."""
    for part in _parts():
        part.register()


def unregister() -> None:
    """Called by Blender when the add-on is disabled; cleans up everything but a running engine."""
    from .jobs import session, setup_session

    session.forget()
    setup_session.forget()
    for part in reversed(_parts()):
        part.unregister()
