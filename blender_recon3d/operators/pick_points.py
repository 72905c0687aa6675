"""Pointing at places on cloud and mesh with the mouse: the ground by three clicks, the scale by two and a number."""

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

_KEYS = "Click: place a point   Backspace: take one back   Esc: cancel"
_NUMBER_KEYS = "Type the true distance   Enter: scale   Backspace: correct   Esc: cancel"
_TYPED = set("0123456789.,' \"abcdefghijklmnopqrstuvwxyzµ")


class _Picked:
    """What has been clicked so far, what is under the mouse, and what has been typed."""

    def __init__(self, context: bpy.types.Context) -> None:
        self.targets = picking.targets_of(current_import(context.scene))
        self.points: list[Vector] = []
        self.hover: Vector | None = None
        self.typed = ""
        self.view: ToolView | None = None

    def measured(self) -> float:
        """Between the first two points, one of which may still be under the mouse."""
        places = self.places()
        return (places[1] - places[0]).length if len(places) > 1 else 0.0

    def places(self) -> list[Vector]:
        return self.points + ([self.hover] if self.hover is not None else [])

    def draw(self) -> None:
        if self.view is None or not self.places():
            return
        pixels, _ = self.view.matrix().project(picking.as_array(self.places()))
        places = [(float(x), float(y)) for x, y in pixels]
        view_drawing.draw_line(places, closed=len(places) > 2)
        view_drawing.draw_dots(places)
        if len(places) == 2:
            middle = ((places[0][0] + places[1][0]) / 2, (places[0][1] + places[1][1]) / 2)
            view_drawing.draw_words(middle, length_text(self.measured()))


if TYPE_CHECKING:  # what it is mixed with
    from bpy.types import Operator as _Operator
else:
    _Operator = object


class PicksPoints(_Operator):
    """Called from a button, asks for `count` points in the view; called with points, takes those.

    asks_length: whether a number is typed once the points are there, which goes into `length`.
    """

    count = 3
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
            self.report({"ERROR"}, tr("Neither a cloud nor a mesh is in sight: show one first."))
            return {"CANCELLED"}
        picked.view = tool_view(picked.draw)
        if picked.view is None:
            self.report({"ERROR"}, tr("There is no 3D view to point in: open one first."))
            return {"CANCELLED"}
        self._picked = picked
        context.window_manager.modal_handler_add(self)
        self._say()
        return {"RUNNING_MODAL"}

    def vertices_are_selected(self, context: bpy.types.Context) -> bool:
        """Whether points were selected in Edit Mode, the other way to say which are meant."""
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
        """The keyboard, once all points are there."""
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
            "Click point {number} of {count} on the cloud or the mesh", number=number + 1, count=self.count
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
    """A typed length, with or without a unit ("0.42", "30 cm"), in Blender's; None for what is not one."""
    units = context.scene.unit_settings
    system = units.system if units.system != "NONE" else "METRIC"
    try:
        value = bpy.utils.units.to_value(system, "LENGTH", typed.replace(",", ".").strip())
    except ValueError:
        return None
    value = value / units.scale_length if units.system != "NONE" else value
    return value if value > 0 else None
