"""Move the faces of the crop box by their handles in the 3D view."""

# No `from __future__ import annotations`: Blender reads properties from annotations, which are calls here.

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..panel_text import tr
from ..pipeline.errors import UserError
from ..scene.cleaning import crop_faces
from ..scene.find_imports import current_import
from ..scene.world_matrices import set_world_matrix, world_matrix
from .reporting import ImportOperator, run_reported
from .view_tool import ToolView, tool_view

_KEYS = "Release: done   Esc: cancel"
_ITEMS = [(face, face, f"Face on the {face} side of the box") for face in crop_faces.FACES]


class _Move:
    """A face that follows the mouse. before: the box's matrix when the drag started."""

    def __init__(
        self, collection: bpy.types.Collection, face: str, mouse: tuple[float, float], view: ToolView
    ) -> None:
        self.box, self.face, self.view, self.mouse = crop_faces.box_of(collection), face, view, mouse
        self.before = world_matrix(self.box)
        self.counted = crop_faces.points_to_count(collection)
        middle, out = crop_faces.face_normal(self.before, face)
        step = max(1e-6, self.before.to_3x3().col["XYZ".index(face[1])].length)
        pixels, _ = view.matrix().project(np.array([middle, middle + out * step]))
        self._along = (pixels[1] - pixels[0]) / step  # pixels in the view for one unit of the world

    def distance(self, mouse: tuple[float, float]) -> float:
        """How far the face has moved outward, in world units."""
        moved = np.subtract(mouse, self.mouse)
        size = float(self._along @ self._along)
        return float(moved @ self._along) / size if size > 1.0 else 0.0

    def show(self, distance: float) -> tuple[int, int]:
        moved = crop_faces.moved_face(self.before, self.face, distance)
        set_world_matrix(self.box, moved)
        return crop_faces.count_inside(self.counted, moved)

    def undo(self) -> None:
        set_world_matrix(self.box, self.before)


class RECON3D_OT_move_crop_face(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.move_crop_face"
    bl_label = "Move Crop Box Face"
    bl_description = "Move one face of the crop box; the others stay"

    face: bpy.props.EnumProperty(name="Face", description="Face of the box, by its own axes", items=_ITEMS)
    distance: bpy.props.FloatProperty(
        name="Distance",
        description="Distance to move the face outward; negative: inward",
        subtype="DISTANCE",
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        view = tool_view(lambda: None)
        if view is None:
            self.report({"ERROR"}, tr("There is no 3D view to drag in: open one first."))
            return {"CANCELLED"}
        try:
            self._move = _Move(current_import(context.scene), self.face, view.mouse(event), view)
        except UserError as error:
            view.end()
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        move = self._move
        if event.type in ("ESC", "RIGHTMOUSE") and event.value == "PRESS":
            move.undo()
            move.view.end()
            return {"CANCELLED"}
        if event.type == "MOUSEMOVE":
            self.distance = move.distance(move.view.mouse(event))
            inside, total = move.show(self.distance)
            move.view.say(
                tr("{inside} of {total} points kept", inside=f"{inside:,}", total=f"{total:,}"), _KEYS
            )
        elif event.type == "LEFTMOUSE" and event.value == "RELEASE":
            move.undo()
            move.view.end()
            return self.execute(context)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        call = crop_faces.move_face
        return run_reported(self, lambda: call(current_import(context.scene), self.face, self.distance))


class RECON3D_GGT_crop_box(bpy.types.GizmoGroup):
    """An arrow on every face of the crop box, while the box is the active object."""

    bl_idname = "RECON3D_GGT_crop_box"
    bl_label = "Crop Box"
    bl_space_type = "VIEW_3D"
    bl_region_type = "WINDOW"
    bl_options = {"3D", "PERSISTENT"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return crop_faces.is_box(context.object) and context.mode == "OBJECT"

    def setup(self, context: bpy.types.Context) -> None:
        self._arrows = {}
        for face in crop_faces.FACES:
            arrow = self.gizmos.new("GIZMO_GT_arrow_3d")
            arrow.draw_style, arrow.use_draw_modal = "BOX", True
            arrow.color, arrow.alpha = (1.0, 0.6, 0.1), 0.8
            arrow.color_highlight, arrow.alpha_highlight = (1.0, 0.9, 0.5), 1.0
            arrow.target_set_operator("recon3d.move_crop_face").face = face
            self._arrows[face] = arrow
        self.refresh(context)

    def refresh(self, context: bpy.types.Context) -> None:
        self.draw_prepare(context)

    def draw_prepare(self, context: bpy.types.Context) -> None:
        if not crop_faces.is_box(context.object):
            return
        world = world_matrix(context.object)
        for face, arrow in self._arrows.items():
            middle, out = crop_faces.face_normal(world, face)
            arrow.matrix_basis = Matrix.LocRotScale(middle, Vector((0, 0, 1)).rotation_difference(out), None)


CLASSES = (RECON3D_OT_move_crop_face, RECON3D_GGT_crop_box)
