"""Ground, up axis, origin and scale of a reconstruction, from given points or else the selected vertices."""

# No `from __future__ import annotations`: Blender reads properties from annotations, which are calls here.

from collections.abc import Sequence

import bpy

from ..jobs import world_scale
from ..scene import placement
from ..scene.find_imports import current_import
from .pick_points import PicksPoints
from .reporting import ImportOperator, run_in_background, run_reported

_AXIS_ITEMS = [(axis, axis, f"Make {axis} the up axis") for axis in placement.AXES]


def _points(count: int) -> object:
    """World-space coordinates in one flat list; if not set, the selected vertices are used."""
    return bpy.props.FloatVectorProperty(
        name="Points",
        description=f"{count} points in world space, for scripts; otherwise the {count} selected vertices",
        size=3 * count,
        subtype="NONE",
        options={"SKIP_SAVE", "HIDDEN"},
    )


class RECON3D_OT_ground_from_plane(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.ground_from_plane"
    bl_label = "Align to Ground Plane"
    bl_description = "Find the cloud's dominant plane, level it and move it to height 0"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: placement.ground_from_plane(current_import(context.scene)))


class RECON3D_OT_ground_from_points(PicksPoints, ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.ground_from_points"
    bl_label = "Align to 3 Points"
    bl_description = "Click three points on the ground to level it; in Edit Mode, use the selected vertices"
    count = 3

    points: _points(3)

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: _grounded(context, _given_points(self, 3)))


class RECON3D_OT_up_axis(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.up_axis"
    bl_label = "Set Up Axis"
    bl_description = "Rotate the reconstruction so that this axis points up"

    axis: bpy.props.EnumProperty(name="Axis", items=_AXIS_ITEMS, default="Y")

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: placement.up_axis(current_import(context.scene), self.axis))


class RECON3D_OT_origin_under(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.origin_under"
    bl_label = "Move to Origin"
    bl_description = "Move the bottom center of the subject to the origin"

    target: bpy.props.EnumProperty(
        name="Target",
        items=(("WORLD", "World Origin", "0, 0, 0"), ("CURSOR", "3D Cursor", "Location of the 3D cursor")),
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        target = context.scene.cursor.location if self.target == "CURSOR" else (0.0, 0.0, 0.0)
        return run_reported(
            self, lambda: placement.origin_under(current_import(context.scene), tuple(target))
        )


class RECON3D_OT_scale_to(PicksPoints, ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.scale_to"
    bl_label = "Scale from 2 Points"
    bl_description = "Click two points and type their true distance; in Edit Mode, use the selected vertices"
    count = 2
    asks_length = True

    length: bpy.props.FloatProperty(
        name="Length",
        description="Real-world distance between the two points",
        default=1.0,
        min=1e-6,
        subtype="DISTANCE",
    )
    points: _points(2)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.vertices_are_selected(context) and not self.properties.is_property_set("points"):
            return context.window_manager.invoke_props_dialog(self)
        return super().invoke(context, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: _scaled(context, _given_points(self, 2), self.length))


class RECON3D_OT_scale_from_photos(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.scale_from_photos"
    bl_label = "Scale from Photos"
    bl_description = "Set the scale from the photos' GPS, or from printed ArUco markers of a known size"

    source: bpy.props.EnumProperty(
        name="From",
        items=(
            ("GPS", "GPS", "Meters, with X east and Y north"),
            ("MARKERS", "Markers", "ArUco markers of known size in the photos"),
        ),
    )
    size: bpy.props.FloatProperty(
        name="Marker Size",
        description="Side of the printed markers' black square",
        default=0.1,
        min=1e-4,
        subtype="DISTANCE",
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self)

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.use_property_split = True
        self.layout.prop(self, "source", expand=True)
        if self.source == "MARKERS":
            self.layout.prop(self, "size")

    def execute(self, context: bpy.types.Context) -> set[str]:
        meters = self.size * (context.scene.unit_settings.scale_length or 1.0)
        words = ["--gps"] if self.source == "GPS" else ["--marker-size", f"{meters:.6g}"]
        begin = world_scale.start
        return run_in_background(
            self, lambda: begin(context.scene, words), world_scale.follow_in_background, world_scale.wait
        )


def _given_points(operator: bpy.types.Operator, count: int) -> list[tuple[float, ...]] | None:
    if not operator.properties.is_property_set("points"):
        return None
    values = tuple(operator.points)
    return [values[3 * i : 3 * i + 3] for i in range(count)]


def _grounded(context: bpy.types.Context, points: Sequence[Sequence[float]] | None) -> str:
    collection = current_import(context.scene)
    return placement.ground_from_points(collection, points or placement.selected_points(collection, 3))


def _scaled(context: bpy.types.Context, points: Sequence[Sequence[float]] | None, length: float) -> str:
    collection = current_import(context.scene)
    return placement.scale_to(collection, points or placement.selected_points(collection, 2), length)


CLASSES = (
    RECON3D_OT_ground_from_plane,
    RECON3D_OT_ground_from_points,
    RECON3D_OT_up_axis,
    RECON3D_OT_origin_under,
    RECON3D_OT_scale_to,
    RECON3D_OT_scale_from_photos,
)
