"""The add-on's preferences: where the engine is and what it computes on."""

# No `from __future__ import annotations`: Blender reads properties from annotations, which must not be strings.

import bpy

from . import engine
from .pipeline.events import UserError
from .pipeline.settings import DEVICES

_DEVICE_TEXT = {
    "auto": ("Automatic", "The fastest device that the engine finds"),
    "cpu": ("CPU", "Works everywhere"),
    "cuda": ("NVIDIA CUDA", "An NVIDIA graphics card"),
    "mps": ("Apple Metal", "The graphics of an Apple silicon Mac"),
}
_DEVICE_ITEMS = [(device, *_DEVICE_TEXT[device]) for device in DEVICES]


class Recon3DPreferences(bpy.types.AddonPreferences):
    bl_idname = __package__

    engine_python: bpy.props.StringProperty(
        name="Engine's Python",
        description="The Python of the environment in which the engine's packages are installed, or its folder",
        subtype="FILE_PATH",
    )
    device: bpy.props.EnumProperty(
        name="Device",
        description="What networks and depth maps are computed on",
        items=_DEVICE_ITEMS,
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "engine_python")
        layout.prop(self, "device")
        missing = engine_problem()
        layout.label(
            text=missing or "The engine's Python is there.", icon="ERROR" if missing else "CHECKMARK"
        )


def preferences() -> Recon3DPreferences | None:
    """None where the add-on is not installed but used from a checkout."""
    addon = bpy.context.preferences.addons.get(__package__)
    return addon.preferences if addon else None


def engine_python() -> str:
    """The preference's path, absolute; empty when there is none."""
    kept = preferences()
    return bpy.path.abspath(kept.engine_python) if kept and kept.engine_python else ""


def device() -> str:
    kept = preferences()
    return kept.device if kept else "auto"


def engine_problem() -> str:
    """Why the engine cannot be started, as a sentence; empty when its Python is there."""
    try:
        engine.find_python(preference=engine_python())
    except UserError as error:
        return str(error)
    return ""


def register() -> None:
    bpy.utils.register_class(Recon3DPreferences)


def unregister() -> None:
    bpy.utils.unregister_class(Recon3DPreferences)
