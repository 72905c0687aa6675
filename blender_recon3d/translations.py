"""The interface in other languages, through Blender's own translation. Languages not listed stay English."""

from __future__ import annotations

import bpy

from .languages.german_exports import GERMAN_EXPORTS
from .languages.german_panel import GERMAN_PANEL
from .languages.german_settings import GERMAN
from .languages.german_tools import GERMAN_TOOLS
from .languages.german_viewport import GERMAN_VIEWPORT

_ALL_GERMAN = {**GERMAN_PANEL, **GERMAN_EXPORTS, **GERMAN_VIEWPORT, **GERMAN_TOOLS, **GERMAN}
_CONTEXTS = ("*", "Operator")  # Blender looks up operator button labels only in the second
TRANSLATIONS = {
    "de_DE": {(context, english): german for english, german in _ALL_GERMAN.items() for context in _CONTEXTS}
}


def register() -> None:
    bpy.app.translations.register(__package__, TRANSLATIONS)


def unregister() -> None:
    bpy.app.translations.unregister(__package__)
