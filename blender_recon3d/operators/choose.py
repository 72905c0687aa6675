"""Choose photos or a video, with Blender's file browser or by dropping them into a 3D view."""

# No `from __future__ import annotations`: Blender reads properties from annotations, which are calls here.

from pathlib import Path

import bpy

from ..jobs import session
from ..pipeline.photos.extensions import EXTENSIONS, VIDEO_EXTENSIONS
from .reporting import run_reported

# Blender's file browser reads this property; its numbers are Blender's.
_DISPLAY_ITEMS = (
    ("DEFAULT", "Default", "", 0),
    ("LIST_VERTICAL", "List", "", 1),
    ("LIST_HORIZONTAL", "Short List", "", 2),
    ("THUMBNAIL", "Thumbnails", "", 3),
)


def chosen_path(directory: str, names: list[str]) -> str:
    """The video among the chosen files, or else their folder: all of its photos are used."""
    videos = [name for name in names if Path(name).suffix.lower() in VIDEO_EXTENSIONS]
    return str(Path(directory) / videos[0]) if videos else directory


class _Chooses:
    """Mixin for the choosing operators. target: the setting that receives the path."""

    bl_options = {"REGISTER", "UNDO", "INTERNAL"}
    target = "photos"
    directory: str

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        names = [item.name for item in getattr(self, "files", ()) if item.name]
        setattr(context.scene.recon3d, self.target, chosen_path(self.directory, names))
        return {"FINISHED"}


class RECON3D_OT_choose_photos(_Chooses, bpy.types.Operator):
    bl_idname = "recon3d.choose_photos"
    bl_label = "Choose Photos"
    bl_description = "Choose the folder with the photos, any photo in it, or a video"

    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE"})
    files: bpy.props.CollectionProperty(
        type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"}
    )
    display_type: bpy.props.EnumProperty(items=_DISPLAY_ITEMS, default="THUMBNAIL", options={"HIDDEN"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    filter_image: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    filter_movie: bpy.props.BoolProperty(default=True, options={"HIDDEN"})


class RECON3D_OT_drop_photos(bpy.types.Operator):
    bl_idname = "recon3d.drop_photos"
    bl_label = "Reconstruct These Photos"
    bl_description = "Use the folder of the dropped photos, or the dropped video, and show the Recon3D tab"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"})
    files: bpy.props.CollectionProperty(
        type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if session.session.running:
            cls.poll_message_set("A reconstruction is running: cancel it or wait until it ends")
        return not session.session.running

    def execute(self, context: bpy.types.Context) -> set[str]:
        path = chosen_path(self.directory, [item.name for item in self.files])
        context.scene.recon3d.photos = path
        _show_tab(context.area)
        self.report({"INFO"}, path)
        return {"FINISHED"}


class RECON3D_FH_photos(bpy.types.FileHandler):
    """Handles photos and videos dropped into a 3D view."""

    bl_idname = "RECON3D_FH_photos"
    bl_label = "Recon3D"
    bl_import_operator = "recon3d.drop_photos"
    bl_file_extensions = ";".join(sorted(EXTENSIONS | VIDEO_EXTENSIONS))

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and context.area.type == "VIEW_3D"


def _show_tab(area: bpy.types.Area | None) -> None:
    """Open our tab in the sidebar of the view that the photos were dropped into."""
    if area is None or area.type != "VIEW_3D":
        return
    area.spaces.active.show_region_ui = True
    sidebar = next(region for region in area.regions if region.type == "UI")
    try:
        sidebar.active_panel_category = "Recon3D"
    except (AttributeError, TypeError):
        return  # before the sidebar was first drawn, it has no tabs


class RECON3D_OT_choose_results(_Chooses, bpy.types.Operator):
    bl_idname = "recon3d.choose_results"
    bl_label = "Choose Results Folder"
    bl_description = "Choose another folder for the results"
    target = "workspace"

    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})


class RECON3D_OT_choose_masks(bpy.types.Operator):
    bl_idname = "recon3d.choose_masks"
    bl_label = "Choose Masks"
    bl_description = "Choose a folder of masks, or a photo of the empty scene"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE"})
    filename: bpy.props.StringProperty(options={"SKIP_SAVE", "HIDDEN"})
    display_type: bpy.props.EnumProperty(items=_DISPLAY_ITEMS, default="THUMBNAIL", options={"HIDDEN"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    filter_image: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        file = Path(self.directory) / self.filename
        chosen = file if self.filename and file.is_file() else Path(self.directory)
        context.scene.recon3d.advanced.masks = str(chosen)
        return {"FINISHED"}


class RECON3D_OT_look_at_photos(bpy.types.Operator):
    bl_idname = "recon3d.look_at_photos"
    bl_label = "Look at These Photos"
    bl_description = "Read the photos and results folders set in this file"
    bl_options = {"REGISTER", "INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(context.scene.recon3d.photos)

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: session.look_at_photos(context.scene))


CLASSES = (
    RECON3D_OT_choose_photos,
    RECON3D_OT_drop_photos,
    RECON3D_FH_photos,
    RECON3D_OT_choose_results,
    RECON3D_OT_choose_masks,
    RECON3D_OT_look_at_photos,
)
