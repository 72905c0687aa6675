"""The panel's settings and contents: one PropertyGroup at Scene.recon3d."""

# No `from __future__ import annotations`: Blender reads properties from annotations, which must not be strings.

from collections.abc import Callable
from pathlib import Path

import bpy

from . import chosen_folders
from .engine_properties import RECON3D_PG_advanced, items_of
from .engine_setup.engine_process import default_workspace
from .pipeline.settings import by_option
from .pipeline.stage import last_stages
from .scene.chosen_photos import beside
from .scene.point_display import VIEWPORT_POINTS

_QUALITY, _UNTIL = (by_option()[name][0] for name in ("quality", "until"))
QUALITY_ITEMS = items_of(_QUALITY)
UNTIL_ITEMS = items_of(_UNTIL, last_stages())


# Called with the scene when the user changes a path, or selects a photo in the review. `handlers` fills these lists,
# since the modules that react import this one.
when_paths_change: list[Callable[[bpy.types.Scene], None]] = []
when_masks_are_shown: list[Callable[[bpy.types.Scene], None]] = []
when_viewport_points_change: list[Callable[[bpy.types.Scene], None]] = []
when_photo_is_chosen: list[Callable[[bpy.types.Scene], None]] = []


def _photos_changed(settings: "RECON3D_PG_settings", context: bpy.types.Context) -> None:
    photos = photos_path(settings)
    if settings.chosen_in != settings.photos:
        settings.chosen.clear()  # they were in another folder
    if photos is not None:
        chosen_folders.remember(photos, _default_workspace(settings))
    _paths_changed(settings)


def _workspace_changed(settings: "RECON3D_PG_settings", context: bpy.types.Context) -> None:
    if settings.workspace:
        chosen_folders.remember(workspace_path(settings))
    _paths_changed(settings)


def _paths_changed(settings: "RECON3D_PG_settings") -> None:
    for call in when_paths_change:
        call(settings.id_data)


def _photo_chosen(settings: "RECON3D_PG_settings", context: bpy.types.Context) -> None:
    for call in when_photo_is_chosen:
        call(settings.id_data)


def _viewport_points_changed(settings: "RECON3D_PG_settings", context: bpy.types.Context) -> None:
    for call in when_viewport_points_change:
        call(settings.id_data)


def _masks_shown(settings: "RECON3D_PG_settings", context: bpy.types.Context) -> None:
    for call in when_masks_are_shown:
        call(settings.id_data)


class RECON3D_PG_photo(bpy.types.PropertyGroup):
    """A photo in the review. name: its title, which Blender's list filters by."""

    photo: bpy.props.StringProperty(description="Name in the model; empty for an excluded photo")
    state: bpy.props.StringProperty()
    reason: bpy.props.StringProperty()
    source: bpy.props.StringProperty(description="The original file")
    error: bpy.props.FloatProperty(default=-1.0, description="Mean reprojection error, pixels; -1: none")
    points: bpy.props.IntProperty(description="Sparse points in the photo")


class RECON3D_PG_advice(bpy.types.PropertyGroup):
    """A sentence; `name` holds it."""

    doubt: bpy.props.BoolProperty(description="The result may be wrong; otherwise advice on taking photos")


class RECON3D_PG_before_photo(bpy.types.PropertyGroup):
    """The state that `scene.reviewing.photo_view` restores. kept: whether there is any."""

    kept: bpy.props.BoolProperty()
    camera: bpy.props.PointerProperty(type=bpy.types.Object)
    resolution_x: bpy.props.IntProperty()
    resolution_y: bpy.props.IntProperty()
    resolution_percentage: bpy.props.IntProperty()
    pixel_aspect_x: bpy.props.FloatProperty()
    pixel_aspect_y: bpy.props.FloatProperty()
    view_kept: bpy.props.BoolProperty()
    view_location: bpy.props.FloatVectorProperty()
    view_rotation: bpy.props.FloatVectorProperty(size=4)
    view_distance: bpy.props.FloatProperty()
    view_perspective: bpy.props.StringProperty()
    use_local_camera: bpy.props.BoolProperty()


class RECON3D_PG_chosen(bpy.types.PropertyGroup):
    """A file or folder in the folder `photos`."""

    path: bpy.props.StringProperty(subtype="FILE_NAME")  # a path that need not be UTF-8


class RECON3D_PG_settings(bpy.types.PropertyGroup):
    photos: bpy.props.StringProperty(
        name="Photos",
        description="Folder of photos, subfolders included, or a video",
        subtype="FILE_NAME",  # a path that need not be UTF-8, without Blender's own browse button
        update=_photos_changed,
    )
    chosen: bpy.props.CollectionProperty(type=RECON3D_PG_chosen)  # see scene/chosen_photos.py
    chosen_in: bpy.props.StringProperty(subtype="FILE_NAME")
    workspace: bpy.props.StringProperty(
        name="Results",
        description="Folder for the results; empty: NAME_recon3d beside the photos",
        subtype="DIR_PATH",
        update=_workspace_changed,
    )
    quality: bpy.props.EnumProperty(
        name=_QUALITY.label,
        description=_QUALITY.help,
        items=QUALITY_ITEMS,
        default=_QUALITY.default,
        translation_context=bpy.app.translations.contexts.operator_default,  # Blender's "Preview" is longer in German
    )
    until: bpy.props.EnumProperty(
        name=_UNTIL.label, description=_UNTIL.help, items=UNTIL_ITEMS, default=last_stages()[-1]
    )
    import_when_done: bpy.props.BoolProperty(
        name="Import when Done",
        description="Import the result into this scene when it is done",
        default=True,
    )
    show_live: bpy.props.BoolProperty(
        name="Show Live",
        description="Show cameras and points in the viewport while they are computed",
        default=True,
    )
    viewport_points: bpy.props.IntProperty(
        name="Points in Viewport",
        description=(
            "Max number of points of a cloud shown in the viewport, evenly chosen; renders and exports have all"
        ),
        default=VIEWPORT_POINTS,
        min=1000,
        soft_max=20_000_000,
        step=100_000,
        update=_viewport_points_changed,
    )
    show_inspection: bpy.props.BoolProperty(
        name="Show Photos", description="Show details of the photos", default=True
    )
    advanced: bpy.props.PointerProperty(type=RECON3D_PG_advanced)
    review: bpy.props.CollectionProperty(type=RECON3D_PG_photo)
    review_index: bpy.props.IntProperty(
        name="Photo", description="Photo to look through", default=-1, update=_photo_chosen
    )
    color_cameras: bpy.props.BoolProperty(
        name="Color Cameras",
        description=(
            "Show cameras in the viewport by state. Green: good; yellow: few points or a large error; orange: in a "
            "separate group; white: the chosen photo"
        ),
        default=True,
    )
    show_masks: bpy.props.BoolProperty(
        name="Show Mask",
        description="Tint what the mask hides, over the photo that you look through",
        default=False,
        update=_masks_shown,
    )
    advice: bpy.props.CollectionProperty(type=RECON3D_PG_advice)
    before_photo: bpy.props.PointerProperty(type=RECON3D_PG_before_photo)


def photos_path(settings: RECON3D_PG_settings) -> Path | None:
    """Absolute path of the chosen photos; None if none are chosen."""
    return Path(bpy.path.abspath(settings.photos)) if settings.photos else None


def workspace_path(settings: RECON3D_PG_settings) -> Path | None:
    """The workspace: the chosen one, or the default next to the photos; None if neither is set."""
    if settings.workspace:
        return Path(bpy.path.abspath(settings.workspace))
    return _default_workspace(settings)


def _default_workspace(settings: RECON3D_PG_settings) -> Path | None:
    photos = beside(settings)
    return default_workspace(photos) if photos else None


_CLASSES = (
    RECON3D_PG_advanced,
    RECON3D_PG_photo,
    RECON3D_PG_advice,
    RECON3D_PG_before_photo,
    RECON3D_PG_chosen,
    RECON3D_PG_settings,
)


def register() -> None:
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.recon3d = bpy.props.PointerProperty(type=RECON3D_PG_settings)


def unregister() -> None:
    del bpy.types.Scene.recon3d
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
