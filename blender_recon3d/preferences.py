"""The add-on's preferences: where the engine is, what it computes on, and where its packages come from."""

# No `from __future__ import annotations`: Blender reads properties from annotations, which must not be strings.

from collections.abc import Callable
from pathlib import Path

import bpy

from .engine_properties import items_of
from .engine_setup import engine_process
from .pipeline.errors import UserError
from .pipeline.settings import by_option

_DEVICE = by_option()["device"][0]
_VARIANT_TEXT = {
    "auto": ("Auto-Detect", "Choose by the graphics card and its driver"),
    "cuda": ("NVIDIA CUDA", "Large download, for NVIDIA cards"),
    "cpu": ("CPU", "Small download, works everywhere"),
    "mps": ("Apple Metal", "For Apple silicon"),
}


def _keep_absolute(name: str) -> Callable[["Recon3DPreferences", bpy.types.Context], None]:
    """Blender's file browser may return a path relative to the open .blend, which would change meaning in another."""

    def update(prefs: "Recon3DPreferences", context: bpy.types.Context) -> None:
        value = getattr(prefs, name)
        absolute = bpy.path.abspath(value)
        if value.startswith("//") and absolute != value:
            setattr(prefs, name, absolute)

    return update


def absolute(path: str) -> str:
    """A path from the preferences; empty if it is relative, since it must not depend on the open .blend."""
    return "" if path.startswith("//") else path


class Recon3DPreferences(bpy.types.AddonPreferences):
    """Drawn by `ui.preferences`."""

    bl_idname = __package__

    engine_python: bpy.props.StringProperty(
        name="Engine's Python",
        description="Python, or folder, of an existing environment with the engine's packages. Empty: the "
        "environment made by Set Up Engine",
        subtype="FILE_PATH",
        update=_keep_absolute("engine_python"),
    )
    device: bpy.props.EnumProperty(name=_DEVICE.label, description=_DEVICE.help, items=items_of(_DEVICE))
    variant: bpy.props.EnumProperty(
        name="Build",
        description="Which build of torch Set Up Engine installs",
        translation_context=bpy.app.translations.contexts.operator_default,  # elsewhere, to build is a verb
        items=[(name, *text) for name, text in _VARIANT_TEXT.items()],
    )
    engine_folder: bpy.props.StringProperty(
        name="Folder",
        description="Folder for the environment; empty: the extension's user folder",
        subtype="DIR_PATH",
        update=_keep_absolute("engine_folder"),
    )
    index: bpy.props.StringProperty(
        name="Package Index",
        description="URL of a package index to use instead of PyPI, or a folder with wheels",
        update=_keep_absolute("index"),
    )
    lock: bpy.props.StringProperty(
        name="Package Lock",
        description="File with checksums of your own packages, for an index whose packages differ from "
        "PyPI's. Empty: the add-on's",
        subtype="FILE_PATH",
        update=_keep_absolute("lock"),
    )
    proxy: bpy.props.StringProperty(
        name="Proxy",
        description="URL of a proxy for the download; empty: as set in the system's environment",
    )


def preferences() -> Recon3DPreferences | None:
    """None if the add-on is not installed but used from a checkout."""
    addon = bpy.context.preferences.addons.get(__package__)
    return addon.preferences if addon else None


def user_folder() -> Path | None:
    """The extension's own writable folder; None if it is not installed as an extension."""
    try:
        return Path(bpy.utils.extension_path_user(__package__, create=True))
    except (ValueError, OSError):
        return None


def engine_folder() -> Path | None:
    """Where Set Up Engine creates the environment; None if there is no folder for it."""
    prefs, user = preferences(), user_folder()
    if prefs and absolute(prefs.engine_folder):
        return Path(absolute(prefs.engine_folder))
    return user / "engine" if user else None


def engine_python() -> str:
    """The path in the preferences, absolute; empty if there is none."""
    prefs = preferences()
    return absolute(prefs.engine_python) if prefs else ""


def device() -> str:
    prefs = preferences()
    return prefs.device if prefs else "auto"


def find_python() -> Path:
    """The engine's Python. Raises UserError if there is none."""
    return engine_process.find_python(preference=engine_python(), managed=engine_folder())


def engine_problem() -> str:
    """Why the engine cannot be started, as a sentence; empty if its Python exists."""
    try:
        find_python()
    except UserError as error:
        return str(error)
    return ""


def register() -> None:
    bpy.utils.register_class(Recon3DPreferences)


def unregister() -> None:
    bpy.utils.unregister_class(Recon3DPreferences)
