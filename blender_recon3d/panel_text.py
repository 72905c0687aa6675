"""Text in panels, which Blender neither wraps nor formats. Messages of the engine are put into the panel's words
(`panel_wording`), not translated.
"""

from __future__ import annotations

import textwrap

import bpy

from .languages.panel_wording import in_panel
from .pipeline.text import printable


def tr(text: str, **values: object) -> str:
    """The text in the interface's language, with the values in its {places}."""
    return bpy.app.translations.pgettext_iface(text).format(**values)


def wrapped(
    layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str = "NONE", width: int = 0
) -> None:
    """A label of as many lines as the width asks for: the region's, or `width` in unscaled pixels."""
    scale = context.preferences.system.ui_scale
    pixels = width * scale if width else context.region.width if context.region else 300
    characters = max(16, int((pixels / scale - 60) / 6.3))
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(textwrap.wrap(in_panel(printable(text)), characters) or [""]):
        shown = icon if number == 0 else "BLANK1" if icon != "NONE" else "NONE"
        column.label(text=line, icon=shown, translate=False)
