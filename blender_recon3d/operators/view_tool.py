"""Shared by the mouse tools in a 3D view: the view can be navigated, and its header and cursor are restored."""

from __future__ import annotations

from collections.abc import Callable

import bpy
import numpy as np

from ..panel_text import tr
from ..scene.picking import View
from ..scene.viewports import area_in_use

NAVIGATION = {
    "MIDDLEMOUSE", "WHEELUPMOUSE", "WHEELDOWNMOUSE", "WHEELINMOUSE", "WHEELOUTMOUSE", "TRACKPADPAN", "TRACKPADZOOM",
    "MOUSEROTATE", "MOUSESMARTZOOM", "NDOF_MOTION", "NUMPAD_1", "NUMPAD_2", "NUMPAD_3", "NUMPAD_4", "NUMPAD_5",
    "NUMPAD_6", "NUMPAD_7", "NUMPAD_8", "NUMPAD_9", "NUMPAD_0", "NUMPAD_PERIOD", "NUMPAD_PLUS", "NUMPAD_MINUS",
}  # fmt: skip
WITHOUT_NUMBERS = {key for key in NAVIGATION if not key.startswith("NUMPAD")}  # where a number is typed


class ToolView:
    """The 3D view that a tool runs in. draw: called at every redraw, in pixels; it must not refer to the operator,
    which Blender may have freed."""

    def __init__(self, window: bpy.types.Window, area: bpy.types.Area, draw: Callable[[], None]) -> None:
        self.window, self.area = window, area
        self.region = next(region for region in area.regions if region.type == "WINDOW")
        self._space = area.spaces.active
        self._handle = bpy.types.SpaceView3D.draw_handler_add(self._drawn, (draw,), "WINDOW", "POST_PIXEL")
        window.cursor_modal_set("CROSSHAIR")

    def _drawn(self, draw: Callable[[], None]) -> None:
        if bpy.context.region == self.region:
            draw()

    def matrix(self) -> View:
        """The current view matrix."""
        return View(np.array(self._space.region_3d.perspective_matrix), self.region.width, self.region.height)

    def mouse(self, event: bpy.types.Event) -> tuple[float, float]:
        """Mouse position in the region's pixels."""
        return float(event.mouse_x - self.region.x), float(event.mouse_y - self.region.y)

    def holds(self, event: bpy.types.Event) -> bool:
        """Whether the mouse is over the view, and not over a sidebar, a header or another area."""
        at = (event.mouse_x, event.mouse_y)
        return _inside(self.region, *at) and not any(
            _inside(other, *at)
            for other in self.area.regions
            if other.type not in ("WINDOW", "XR") and other.width > 1 and other.height > 1
        )

    def say(self, text: str, keys: str) -> None:
        """Show the prompt in the view's header and the keys in the status bar."""
        self.area.header_text_set(text)
        self.window.workspace.status_text_set(tr(keys))
        self.area.tag_redraw()

    def end(self) -> None:
        """Restore the view's header, cursor and status bar."""
        bpy.types.SpaceView3D.draw_handler_remove(self._handle, "WINDOW")
        self.window.cursor_modal_restore()
        self.window.workspace.status_text_set(None)
        if self.area in self.window.screen.areas[:]:
            self.area.header_text_set(None)
            self.area.tag_redraw()


def _inside(region: bpy.types.Region, x: int, y: int) -> bool:
    return 0 <= x - region.x < region.width and 0 <= y - region.y < region.height


def tool_view(draw: Callable[[], None]) -> ToolView | None:
    """The active 3D view, for a tool; None if no window shows one."""
    area = area_in_use()
    return ToolView(*area, draw) if area else None
