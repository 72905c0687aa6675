"""Delete with a lasso in the 3D view, on clouds and meshes, in any mode."""

# No `from __future__ import annotations`: Blender reads properties from annotations, which are calls here.

import bpy
import numpy as np

from ..panel_text import tr
from ..scene import picking
from ..scene.cleaning.delete_points import delete_in_lasso
from ..scene.find_imports import current_import
from . import view_drawing
from .reporting import ImportOperator, run_reported
from .view_tool import NAVIGATION, ToolView, tool_view

_KEYS = "Drag: draw around what to delete   Enter: delete   Esc: cancel"
STEP = 4.0  # pixels between vertices of the line


class _Drawn:
    """The line so far, in pixels. enclosed: number of points inside it once it is closed."""

    def __init__(self) -> None:
        self.line: list[tuple[float, float]] = []
        self.pressed = False
        self.enclosed = 0
        self.view: ToolView | None = None

    def draw(self) -> None:
        view_drawing.draw_line(self.line, closed=not self.pressed)


class RECON3D_OT_delete_lasso(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.delete_lasso"
    bl_label = "Delete with Lasso"
    bl_description = "Draw around points of the cloud or a part of the mesh in the 3D view, and delete them"

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
            return self.execute(context)
        drawn = _Drawn()
        drawn.view = tool_view(drawn.draw)
        if drawn.view is None:
            self.report({"ERROR"}, tr("There is no 3D view to draw in: open one first."))
            return {"CANCELLED"}
        self._drawn = drawn
        context.window_manager.modal_handler_add(self)
        self._say(context)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        drawn, view = self._drawn, self._drawn.view
        if event.type in ("ESC", "RIGHTMOUSE") and event.value == "PRESS":
            view.end()
            return {"CANCELLED"}
        if event.type in NAVIGATION and not drawn.pressed:
            drawn.line, drawn.enclosed = [], 0  # a line is valid only in the view it was drawn in
            view.area.tag_redraw()
            return {"PASS_THROUGH"}
        if event.type == "LEFTMOUSE" and event.value == "PRESS":
            if not view.holds(event):
                return {"PASS_THROUGH"}
            drawn.line, drawn.pressed, drawn.enclosed = [view.mouse(event)], True, 0
        elif event.type == "MOUSEMOVE" and drawn.pressed:
            here = view.mouse(event)
            if np.hypot(here[0] - drawn.line[-1][0], here[1] - drawn.line[-1][1]) >= STEP:
                drawn.line.append(here)
        elif event.type == "LEFTMOUSE" and event.value == "RELEASE" and drawn.pressed:
            drawn.pressed = False
            drawn.enclosed = self._count(context)
        elif event.type in ("RET", "NUMPAD_ENTER", "DEL", "X") and event.value == "PRESS" and drawn.enclosed:
            return self._finish(context)
        self._say(context)
        return {"RUNNING_MODAL"}

    def _count(self, context: bpy.types.Context) -> int:
        """The number of points inside the line at any depth, shown before anything is deleted."""
        drawn = self._drawn
        objects = picking.shown_objects(current_import(context.scene))
        view = drawn.view.matrix()
        return sum(
            int(picking.inside_lasso(view, drawn.line, picking.world_positions(o)).sum()) for o in objects
        )

    def _finish(self, context: bpy.types.Context) -> set[str]:
        drawn = self._drawn
        view = drawn.view.matrix()
        drawn.view.end()
        self.lasso = " ".join(f"{value:.1f}" for point in drawn.line for value in point)
        self.matrix = view.clip_from_world.ravel().tolist()
        self.size = (view.width, view.height)
        return self.execute(context)

    def _say(self, context: bpy.types.Context) -> None:
        if self._drawn.enclosed:
            text = tr(
                "{count} points inside, at any depth: Enter deletes them", count=f"{self._drawn.enclosed:,}"
            )
        else:
            text = tr("Draw around the points to delete")
        self._drawn.view.say(text, _KEYS)

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: self._deleted(context))

    def _deleted(self, context: bpy.types.Context) -> str:
        view = picking.View(np.array(self.matrix, float).reshape(4, 4), *self.size)
        values = [float(word) for word in self.lasso.split()]
        lasso = list(zip(values[::2], values[1::2], strict=True))
        return delete_in_lasso(current_import(context.scene), view, lasso)


CLASSES = (RECON3D_OT_delete_lasso,)
