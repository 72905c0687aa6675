"""Pick points on cloud and mesh with the mouse: three clicks for the ground, two and a number for the scale."""

# No `from __future__ import annotations`: Blender reads properties from annotations, which are calls here.

from typing import TYPE_CHECKING

import bpy
from mathutils import Vector

from ..panel_text import tr
from ..pipeline.errors import UserError
from ..scene import picking
from ..scene.find_imports import current_import
from . import view_drawing
from .view_tool import NAVIGATION, WITHOUT_NUMBERS, ToolView, tool_view

_KEYS = "Click: place a point   Backspace: remove the last one   Esc: cancel"
_NUMBER_KEYS = "Type the true distance   Enter: scale   Backspace: correct   Esc: cancel"
_TYPED = set("0123456789.,' \"abcdefghijklmnopqrstuvwxyzµ")


class _Picked:
    """The points clicked so far, the one under the mouse, and the typed text."""

    def __init__(self, context: bpy.types.Context) -> None:
        self.targets = picking.targets_of(current_import(context.scene))
        self.points: list[Vector] = []
        self.hover: Vector | None = None
        self.typed = ""
        self.view: ToolView | None = None

    def measured(self) -> float:
        """The distance between the first two points; the second may be the one under the mouse."""
        points = self.all_points()
        return (points[1] - points[0]).length if len(points) > 1 else 0.0

    def all_points(self) -> list[Vector]:
        return self.points + ([self.hover] if self.hover is not None else [])

    def draw(self) -> None:
        if self.view is None or not self.all_points():
            return
        projected, _ = self.view.matrix().project(picking.as_array(self.all_points()))
        pixels = [(float(x), float(y)) for x, y in projected]
        view_drawing.draw_line(pixels, closed=len(pixels) > 2)
        view_drawing.draw_dots(pixels)
        if len(pixels) == 2:
            middle = ((pixels[0][0] + pixels[1][0]) / 2, (pixels[0][1] + pixels[1][1]) / 2)
            view_drawing.draw_text(middle, length_text(self.measured()))


if TYPE_CHECKING:  # the class that it is mixed into
    from bpy.types import Operator as _Operator
else:
    _Operator = object


class PicksPoints(_Operator):
    """Mixin. From a button, it asks for `count` points in the view; called with points, it uses those.

    asks_length: whether the user types a number after the last point, which sets `length`. prompt: instead of the
    usual one.
    """

    count = 3
    prompt = ""
    asks_length = False

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.properties.is_property_set("points") or self.vertices_are_selected(context):
            return self.execute(context)
        try:
            picked = _Picked(context)
        except UserError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if not len(picked.targets.points) and not picked.targets.meshes:
            self.report({"ERROR"}, tr("No cloud or mesh is visible: show one first."))
            return {"CANCELLED"}
        picked.view = tool_view(picked.draw)
        if picked.view is None:
            self.report({"ERROR"}, tr("There is no 3D view to click in: open one first."))
            return {"CANCELLED"}
        # Blender's first ray into a mesh builds a search tree: half a second for a million faces.
        context.window.cursor_modal_set("WAIT")
        picked.hover = picking.pick(picked.targets, picked.view.matrix(), *picked.view.mouse(event))
        context.window.cursor_modal_set("CROSSHAIR")
        self._picked = picked
        context.window_manager.modal_handler_add(self)
        self._say()
        return {"RUNNING_MODAL"}

    def vertices_are_selected(self, context: bpy.types.Context) -> bool:
        """Whether vertices selected in Edit Mode are used instead of clicks."""
        return context.mode == "EDIT_MESH"

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        picked, view = self._picked, self._picked.view
        full = len(picked.points) == self.count
        if event.type in ("ESC", "RIGHTMOUSE") and event.value == "PRESS":
            view.end()
            return {"CANCELLED"}
        if event.type in (WITHOUT_NUMBERS if full else NAVIGATION):
            view.area.tag_redraw()
            return {"PASS_THROUGH"}
        if event.type == "BACK_SPACE" and event.value == "PRESS":
            picked.typed, picked.points = (
                (picked.typed[:-1], picked.points) if picked.typed else ("", picked.points[:-1])
            )
        elif full:
            return self._number(context, event)
        elif not view.holds(event):
            picked.hover = None
            return {"PASS_THROUGH"}
        elif event.type in ("MOUSEMOVE", "LEFTMOUSE"):
            picked.hover = picking.pick(picked.targets, view.matrix(), *view.mouse(event))
            if event.type == "LEFTMOUSE" and event.value == "PRESS" and picked.hover is not None:
                picked.points.append(picked.hover)
                picked.hover = None
                if len(picked.points) == self.count and not self.asks_length:
                    return self._finish(context)
        self._say()
        return {"RUNNING_MODAL"}

    def _number(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Handle the keyboard once all points have been clicked."""
        picked = self._picked
        if event.value == "PRESS" and event.type in ("RET", "NUMPAD_ENTER"):
            length = typed_length(context, picked.typed)
            if length is not None:
                self.length = length
                return self._finish(context)
        elif event.value == "PRESS" and event.unicode.lower() in _TYPED and event.unicode:
            picked.typed += event.unicode
        self._say()
        return {"RUNNING_MODAL"}

    def _finish(self, context: bpy.types.Context) -> set[str]:
        self._picked.view.end()
        self.points = [value for point in self._picked.points for value in point]
        return self.execute(context)

    def _say(self) -> None:
        picked = self._picked
        number = len(picked.points)
        if number == self.count:
            text = tr("Measured: {measured}   True distance: {typed}", measured=length_text(picked.measured()),
                      typed=picked.typed or "_")  # fmt: skip
            picked.view.say(text, _NUMBER_KEYS)
            return
        text = tr(
            self.prompt or "Click point {number} of {count} on the cloud or the mesh",
            number=number + 1,
            count=self.count,
        )
        if number == 1 and picked.hover is not None:
            text += "   " + length_text(picked.measured())
        picked.view.say(text, _KEYS)


def length_text(length: float) -> str:
    """A length in the scene's units."""
    units = bpy.context.scene.unit_settings
    if units.system == "NONE":
        return f"{length:.4g}"
    return bpy.utils.units.to_string(units.system, "LENGTH", length * units.scale_length, precision=4)


def typed_length(context: bpy.types.Context, typed: str) -> float | None:
    """A typed length, with or without a unit ("0.42", "30 cm"), in Blender units; None if invalid."""
    units = context.scene.unit_settings
    system = units.system if units.system != "NONE" else "METRIC"
    try:
        value = bpy.utils.units.to_value(system, "LENGTH", typed.replace(",", ".").strip())
    except ValueError:
        return None
    value = value / units.scale_length if units.system != "NONE" else value
    return value if value > 0 else None
