"""Choose photos, folders or a video, with Blender's file browser or by dropping them into a 3D view."""

# No `from __future__ import annotations`: Blender reads properties from annotations, which are calls here.

from pathlib import Path

import bpy

from ..jobs import current_job, session
from ..panel_text import tr
from ..pipeline.photos.extensions import EXTENSIONS, VIDEO_EXTENSIONS
from ..pipeline.text import Said
from ..scene.chosen_photos import chosen_paths, photo_sources, set_photos
from .reporting import run_reported

# Blender's file browser reads this property; its numbers are Blender's.
_DISPLAY_ITEMS = (
    ("DEFAULT", "Default", "", 0),
    ("LIST_VERTICAL", "List", "", 1),
    ("LIST_HORIZONTAL", "Short List", "", 2),
    ("THUMBNAIL", "Thumbnails", "", 3),
)


class _Chooses:
    """Mixin for the operators with a file browser."""

    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}


class RECON3D_OT_choose_photos(_Chooses, bpy.types.Operator):
    bl_idname = "recon3d.choose_photos"
    bl_label = "Choose Photos"
    bl_description = "Choose the folder with the photos, some of the photos or folders in it, or a video"

    add: bpy.props.BoolProperty(
        name="Add",
        description="Add to the photos that are chosen already",
        options={"SKIP_SAVE", "HIDDEN"},
    )
    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE"})
    files: bpy.props.CollectionProperty(
        type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"}
    )
    display_type: bpy.props.EnumProperty(items=_DISPLAY_ITEMS, default="THUMBNAIL", options={"HIDDEN"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    filter_image: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    filter_movie: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    dirs: bpy.props.CollectionProperty(
        type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"}
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.AnyType) -> str:
        return tr("Choose more photos, folders or videos, and keep the ones chosen") if properties.add else ""

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: self._choose(context.scene.recon3d))

    def _choose(self, settings: bpy.types.AnyType) -> None:
        files, folders = ([item.name for item in each if item.name] for each in (self.files, self.dirs))
        paths = chosen_paths(self.directory, files, folders)
        earlier = [str(path) for path in photo_sources(settings)] if self.add else []
        set_photos(settings, [*earlier, *paths])


class RECON3D_OT_clear_photos(bpy.types.Operator):
    bl_idname = "recon3d.clear_photos"
    bl_label = "Clear Photos"
    bl_description = "Choose no photos; the files stay where they are"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.scene.recon3d.photos = ""
        return {"FINISHED"}


class RECON3D_OT_drop_photos(bpy.types.Operator):
    bl_idname = "recon3d.drop_photos"
    bl_label = "Reconstruct These Photos"
    bl_description = (
        "Use the dropped photos, or all in their folder if they are fewer than three, or the dropped video, and show "
        "the Recon3D tab"
    )
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"})
    files: bpy.props.CollectionProperty(
        type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if current_job.session.running:
            cls.poll_message_set("A reconstruction is running: cancel it or wait until it ends")
        return not current_job.session.running

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: self._drop(context))

    def _drop(self, context: bpy.types.Context) -> str:
        paths = chosen_paths(self.directory, [item.name for item in self.files if item.name], [])
        set_photos(context.scene.recon3d, paths)
        _show_tab(context.area)
        return paths[0] if len(paths) == 1 else Said("{count} files", count=len(paths))


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

    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.scene.recon3d.workspace = self.directory
        return {"FINISHED"}


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
    RECON3D_OT_clear_photos,
    RECON3D_OT_drop_photos,
    RECON3D_FH_photos,
    RECON3D_OT_choose_results,
    RECON3D_OT_choose_masks,
    RECON3D_OT_look_at_photos,
)
