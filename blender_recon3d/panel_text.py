"""Text in panels, which Blender neither wraps nor formats. Messages from the engine are reworded for the panel
(`panel_wording`) but not translated; the add-on's own texts are translated.
"""

from __future__ import annotations

from functools import lru_cache

import blf
import bpy

from .languages.panel_wording import in_panel
from .pipeline.text import Said, printable


def tr(text: str, **values: object) -> str:
    """The text in the interface's language, with its {placeholders} filled in."""
    return bpy.app.translations.pgettext_iface(text).format(**values)


def is_narrow(context: bpy.types.Context) -> bool:
    """Whether the sidebar only has room for short labels."""
    return context.region is not None and context.region.width < _NARROW * context.preferences.system.ui_scale


def in_language(text: str) -> str:
    """The message in the interface's language if it has a pattern; otherwise unchanged."""
    if not isinstance(text, Said):
        return text
    values = {
        name: in_language(part) if isinstance(part, Said) else part for name, part in text.values.items()
    }
    return tr(text.pattern, **values)


def wrapped(
    layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str = "NONE", width: int = 0
) -> None:
    """A label wrapped to the region's width, or to `width` in unscaled pixels."""
    scale = context.preferences.system.ui_scale
    pixels = width * scale if width else context.region.width if context.region else 300 * scale
    margin = _MARGIN + (_ICON if icon != "NONE" else 0)
    points = bpy.context.preferences.ui_styles[0].widget.points * scale
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(lines_of(printable(in_panel(text)), pixels - margin * scale, points)):
        shown = icon if number == 0 else "BLANK1" if icon != "NONE" else "NONE"
        column.label(text=line, icon=shown, translate=False)


_MARGIN = 62  # unscaled pixels beside a text: tabs, and the margins of panel, box and label
_ICON = 20
_NARROW = 250  # unscaled pixels


@lru_cache(maxsize=1000)
def lines_of(text: str, pixels: float, points: float) -> tuple[str, ...]:
    """The text as lines that fit into `pixels` in the interface's font; long words are broken."""
    blf.size(0, points)

    def fits(line: str) -> bool:
        return bool(blf.dimensions(0, line)[0] <= max(pixels, 4 * points))

    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if fits(longer):
            line = longer
            continue
        lines += [line] if line else []
        while not fits(word):
            size = next(n for n in range(len(word) - 1, 0, -1) if n == 1 or fits(word[:n]))
            lines.append(word[:size])
            word = word[size:]
        line = word
    return (*lines, line) if line or not lines else tuple(lines)
