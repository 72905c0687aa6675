"""The review: every photo with its status, and advice on those that failed."""

from __future__ import annotations

import bpy

from ..panel_text import is_narrow, tr, wrapped
from ..scene.find_imports import find_imports
from ..scene.reviewing import photo_list
from ..scene.reviewing.photo_view import background_of
from ..scene.reviewing.report_reader import NOT_REGISTERED, OTHER_MODEL, REGISTERED, SET_ASIDE
from . import photo_icons
from .mask_panel import draw_masks
from .tab import Tab

_ICONS = {REGISTERED: "CHECKMARK", OTHER_MODEL: "UNLINKED", NOT_REGISTERED: "ERROR", SET_ASIDE: "CANCEL"}
_WORDS = {
    REGISTERED: "{count} photos registered",
    OTHER_MODEL: "{count} in a separate group",
    NOT_REGISTERED: "{count} not registered",
    SET_ASIDE: "{count} excluded",
}
_MAX_ADVICE = 8


class RECON3D_UL_photos(bpy.types.UIList):
    """A row for each photo: its name and reprojection error."""

    only_problems: bpy.props.BoolProperty(name="Only Problems", description="Hide registered photos")

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: bpy.types.AnyType,
        item: bpy.types.AnyType,
        icon: int,
        active_data: bpy.types.AnyType,
        active_property: str,
    ) -> None:
        row = layout.row(align=True)
        picture = photo_icons.icon_of(context.scene, item)
        if picture:
            row.template_icon(icon_value=picture)  # no higher than a row, which alone is highlighted
        row.label(text=item.name, icon=_ICONS.get(item.state, "QUESTION"), translate=False)
        if is_narrow(context):
            return
        detail = row.row()
        detail.alignment = "RIGHT"
        detail.label(text=f"{item.error:.2f} px" if item.error >= 0 else "", translate=False)

    def draw_filter(self, context: bpy.types.Context, layout: bpy.types.UILayout) -> None:
        row = layout.row(align=True)
        row.prop(self, "filter_name", text="")
        row.prop(self, "only_problems", icon="ERROR", text="")
        row.prop(self, "use_filter_sort_reverse", text="", icon="SORT_DESC")

    def filter_items(
        self, context: bpy.types.Context, data: bpy.types.AnyType, property: str
    ) -> tuple[list[int], list[int]]:
        photos = getattr(data, property)
        flags: list[int] = []  # all are shown
        if self.filter_name:
            flags = bpy.types.UI_UL_list.filter_items_by_name(
                self.filter_name, self.bitflag_filter_item, photos, "name"
            )
        if self.only_problems:
            flags = flags or [self.bitflag_filter_item] * len(photos)
            flags = [
                0 if photo.state == REGISTERED else flag for flag, photo in zip(flags, photos, strict=True)
            ]
        return flags, photo_list.places(context.scene)


class RECON3D_PT_review(Tab, bpy.types.Panel):
    bl_idname = "RECON3D_PT_review"
    bl_label = "Review"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return len(context.scene.recon3d.review) > 0 or bool(find_imports(context.scene))

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.recon3d
        if not len(settings.review):  # the result came from another file
            layout.operator("recon3d.list_photos", icon="FILE_REFRESH")
            return
        counts = photo_list.counts(context.scene)
        summary = ", ".join(
            tr(words, count=counts[state]) for state, words in _WORDS.items() if counts.get(state)
        )
        wrapped(layout, context, summary)
        layout.template_list("RECON3D_UL_photos", "", settings, "review", settings, "review_index", rows=5)
        _draw_navigation(layout.column(align=True), context)
        if counts.get(OTHER_MODEL):
            layout.operator("recon3d.import_second_model", icon="IMPORT")
        if 0 <= settings.review_index < len(settings.review):
            _draw_photo(layout.column(align=True), context, settings.review[settings.review_index])
        for number, item in enumerate(settings.advice):
            if number == _MAX_ADVICE:
                others = len(settings.advice) - number
                layout.label(text=tr("{more} more in report.html", more=others), translate=False)
                break
            wrapped(layout, context, item.name, icon="ERROR" if item.doubt else "INFO")


def _draw_navigation(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Buttons to step from photo to photo, set how the photo is shown, and exit."""
    row = layout.row(align=True)
    row.operator("recon3d.step_photo", text="", icon="TRIA_LEFT").by = -1
    row.operator("recon3d.step_photo", text="", icon="TRIA_RIGHT").by = 1
    exits = row.row(align=True)
    exits.enabled = context.scene.recon3d.before_photo.kept
    exits.operator(
        "recon3d.exit_photo_view", text="Exit" if is_narrow(context) else "Exit Photo View", icon="LOOP_BACK"
    )
    row.prop(context.scene.recon3d, "color_cameras", text="", icon="COLOR")
    row.operator("recon3d.camera_markers", text="", icon="MARKER_HLT")
    shown = background_of(context.scene.camera) if context.scene.recon3d.before_photo.kept else None
    if shown is not None:
        row = layout.row(align=True)
        row.prop(shown, "alpha", text="Opacity", slider=True)
        row.prop(shown, "display_depth", text="")
        draw_masks(layout, context)


def _draw_photo(layout: bpy.types.UILayout, context: bpy.types.Context, photo: bpy.types.AnyType) -> None:
    if photo.state == REGISTERED and photo.points:
        points = tr("{points} points, {error:.2f} px error", points=photo.points, error=max(0.0, photo.error))
        layout.label(text=points, translate=False)
    elif photo.state != REGISTERED:
        picture = photo_icons.icon_of(context.scene, photo)
        if picture:
            layout.template_icon(icon_value=picture, scale=7)
        wrapped(layout, context, f"{photo.name}: {photo.reason or photo.state}", icon=_ICONS[photo.state])


CLASSES = (RECON3D_UL_photos, RECON3D_PT_review)
