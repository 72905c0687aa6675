"""Recon3D: photos in, a clean Blender asset out. The add-on; importable without bpy, as the engine's home too."""

from __future__ import annotations


def register() -> None:
    """Called by Blender when the add-on is switched on."""
    from . import operators, preferences, properties, ui

    for part in (preferences, properties, operators, ui):
        part.register()


def unregister() -> None:
    """Called by Blender when the add-on is switched off; leaves nothing behind but a running engine."""
    from . import operators, preferences, properties, session, ui

    session.forget()
    for part in (ui, operators, properties, preferences):
        part.unregister()
