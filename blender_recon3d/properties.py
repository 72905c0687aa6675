"""What the panel asks for: one PropertyGroup at Scene.recon3d."""

# No `from __future__ import annotations`: Blender reads properties from annotations, which must not be strings.

from pathlib import Path

import bpy

from .engine import default_workspace
from .pipeline.settings import QUALITIES

_QUALITY_TEXT = {
    "preview": ("Preview", "Quick and coarse: to see whether the photos are good"),
    "medium": ("Medium", "A good cloud in moderate time"),
    "high": ("High", "All the detail that the photos hold; slow"),
}
_QUALITY_ITEMS = [(quality, *_QUALITY_TEXT[quality]) for quality in QUALITIES]


class Recon3DSettings(bpy.types.PropertyGroup):
    photos: bpy.props.StringProperty(
        name="Photos",
        description="The folder that holds the photos; folders in it are looked into as well",
        subtype="DIR_PATH",
    )
    workspace: bpy.props.StringProperty(
        name="Results",
        description="The folder for everything that is computed; empty: beside the photos, NAME_recon3d",
        subtype="DIR_PATH",
    )
    quality: bpy.props.EnumProperty(
        name="Quality",
        description="How much detail, and how long it takes",
        items=_QUALITY_ITEMS,
        default="medium",
    )
    import_when_done: bpy.props.BoolProperty(
        name="Import when Done",
        description="Bring the result into this scene as soon as it is ready",
        default=True,
    )


def photos_path(settings: Recon3DSettings) -> Path | None:
    """The chosen folder of photos, absolute; None while none is chosen."""
    return Path(bpy.path.abspath(settings.photos)) if settings.photos else None


def workspace_path(settings: Recon3DSettings) -> Path | None:
    """The workspace: the chosen one, or the one beside the photos; None while neither is known."""
    if settings.workspace:
        return Path(bpy.path.abspath(settings.workspace))
    photos = photos_path(settings)
    return default_workspace(photos) if photos else None


def register() -> None:
    bpy.utils.register_class(Recon3DSettings)
    bpy.types.Scene.recon3d = bpy.props.PointerProperty(type=Recon3DSettings)


def unregister() -> None:
    del bpy.types.Scene.recon3d
    bpy.utils.unregister_class(Recon3DSettings)
