"""The interface in other languages, by Blender's own translation. A language that is not here stays English."""

from __future__ import annotations

import bpy

from .languages.german_panel import GERMAN_PANEL
from .languages.german_settings import GERMAN

TRANSLATIONS = {"de_DE": {("*", english): german for english, german in {**GERMAN_PANEL, **GERMAN}.items()}}


def register() -> None:
    bpy.app.translations.register(__package__, TRANSLATIONS)


def unregister() -> None:
    bpy.app.translations.unregister(__package__)
