"""Delete with a lasso or a box in the 3D view, on clouds and meshes, in any mode."""

# No `from __future__ import annotations`: Blender reads properties from annotations, which are calls here.

import bpy
import numpy as np

from ..panel_text import tr
from ..scene import picking
from ..scene.cleaning.delete_points import count_in_steps, lasso_in_steps
from ..scene.find_imports import current_import
from ..scene.stepwise import Stepping, Steps
from . import view_drawing
from .in_steps import AT_ONCE, INTERVAL, TURN, RunsInSteps
from .reporting import ImportOperator
from .view_tool import NAVIGATION, ToolView, tool_view

_KEYS = "Drag: draw around what to delete   Enter: delete   Esc: cancel"
STEP = 4.0  # pixels between vertices of the line


class _Drawn:
    """The line so far, in pixels. enclosed: number of points inside it once it is closed and they are counted."""

    def __init__(self, box: bool) -> None:
        self.box = box
        self.line: list[tuple[float, float]] = []
        self.pressed = False
        self.enclosed = 0
        self.counting: Stepping[int] | None = None
        self.timer: bpy.types.Timer | None = None
        self.view: ToolView | None = None

    def begin(self, line: list[tuple[float, float]]) -> None:
        """Another line, or none."""
        self.line, self.enclosed, self.counting = line, 0, None

    def move(self, here: tuple[float, float]) -> None:
        """The mouse is dragged to a pixel."""
        if self.box:
            (x, y), (right, top) = self.line[0], here
            self.line = [(x, y), (right, y), (right, top), (x, top)]
        elif np.hypot(here[0] - self.line[-1][0], here[1] - self.line[-1][1]) >= STEP:
            self.line.append(here)

    def count(self, seconds: float) -> None:
        """Go on counting for that long."""
        if self.counting is not None and self.counting.advance(seconds):
            self.enclosed, self.counting = self.counting.result, None

    def end(self, context: bpy.types.Context) -> None:
        context.window_manager.event_timer_remove(self.timer)
        self.view.end()

    def draw(self) -> None:
        view_drawing.draw_line(self.line, closed=self.box or not self.pressed)


class RECON3D_OT_delete_lasso(RunsInSteps, ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.delete_lasso"
    bl_label = "Delete with Lasso"
    bl_description = (
        "Draw around points in the 3D view, and delete them from cloud and mesh, even if one is hidden"
    )
    bl_options = {"REGISTER", "UNDO"}
    doing = "Deleting points..."
    _drawn: _Drawn | None = None  # None while deleting

    shape: bpy.props.EnumProperty(
        name="Shape",
        description="What to draw",
        items=[("LASSO", "Lasso", "A line around the points"), ("BOX", "Box", "A rectangle over the points")],
        options={"SKIP_SAVE"},
    )
    lasso: bpy.props.StringProperty(
        name="Lasso",
        description="Corners of the line in pixels of the view, for scripts: x y x y ...",
        options={"SKIP_SAVE", "HIDDEN"},
    )
    matrix: bpy.props.FloatVectorProperty(
        name="View",
        description="The view's matrix from the world to clip space, row by row, for scripts",
        size=16,
        options={"SKIP_SAVE", "HIDDEN"},
    )
    size: bpy.props.IntVectorProperty(
        name="Size",
        description="Width and height of the view in pixels, for scripts",
        size=2,
        options={"SKIP_SAVE", "HIDDEN"},
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.lasso:
            self._asked = True
            return self.execute(context)
        drawn = _Drawn(self.shape == "BOX")
        drawn.view = tool_view(drawn.draw)
        if drawn.view is None:
            self.report({"ERROR"}, tr("There is no 3D view to draw in: open one first."))
            return {"CANCELLED"}
        self._drawn = drawn
        drawn.timer = context.window_manager.event_timer_add(INTERVAL, window=context.window)
        context.window_manager.modal_handler_add(self)
        self._tell()
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self._drawn is None:
            return RunsInSteps.modal(self, context, event)
        drawn, view = self._drawn, self._drawn.view
        if event.type in ("ESC", "RIGHTMOUSE") and event.value == "PRESS":
            drawn.end(context)
            return {"CANCELLED"}
        if event.type == "TIMER":
            if drawn.counting is None:
                return {"PASS_THROUGH"}
            drawn.count(TURN)
        elif event.type in NAVIGATION and not drawn.pressed:
            drawn.begin([])  # a line is valid only in the view it was drawn in
            view.area.tag_redraw()
            return {"PASS_THROUGH"}
        elif event.type == "LEFTMOUSE" and event.value == "PRESS":
            if not view.holds(event):
                return {"PASS_THROUGH"}
            drawn.begin([view.mouse(event)])
            drawn.pressed = True
        elif event.type == "MOUSEMOVE" and drawn.pressed:
            drawn.move(view.mouse(event))
        elif event.type == "LEFTMOUSE" and event.value == "RELEASE" and drawn.pressed:
            drawn.pressed = False
            drawn.counting = Stepping(
                count_in_steps(current_import(context.scene), view.matrix(), drawn.line)
            )
            drawn.count(AT_ONCE)
        elif event.type in ("RET", "NUMPAD_ENTER", "DEL", "X") and event.value == "PRESS" and drawn.enclosed:
            return self._finish(context)
        self._tell()
        return {"RUNNING_MODAL"}

    def _finish(self, context: bpy.types.Context) -> set[str]:
        """Delete with a call of its own, which can be cancelled, undone and repeated."""
        drawn = self._drawn
        view = drawn.view.matrix()
        drawn.end(context)
        try:
            bpy.ops.recon3d.delete_lasso(
                "INVOKE_DEFAULT",
                True,
                lasso=" ".join(f"{value:.1f}" for point in drawn.line for value in point),
                matrix=view.clip_from_world.ravel().tolist(),
                size=(view.width, view.height),
            )
        except RuntimeError as error:  # what it has reported
            self.report({"ERROR"}, str(error).removeprefix("Error: ").strip())
        return {"CANCELLED"}  # this one has changed nothing

    def cancel(self, context: bpy.types.Context) -> None:
        if self._drawn is None:
            RunsInSteps.cancel(self, context)

    def _tell(self) -> None:
        if self._drawn.counting is not None:
            text = tr("Counting points...")
        elif self._drawn.enclosed:
            text = tr(
                "{count} points inside, at any depth: Enter deletes them", count=f"{self._drawn.enclosed:,}"
            )
        else:
            text = tr("Draw around the points to delete")
        self._drawn.view.say(text, _KEYS)

    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str]:
        view = picking.View(np.array(self.matrix, float).reshape(4, 4), *self.size)
        values = [float(word) for word in self.lasso.split()]
        lasso = list(zip(values[::2], values[1::2], strict=True))
        return lasso_in_steps(current_import(context.scene), view, lasso)


CLASSES = (RECON3D_OT_delete_lasso,)
