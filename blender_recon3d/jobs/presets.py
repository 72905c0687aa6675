"""Presets: the panel's settings as files, which `recon3d run --settings` accepts too.

Some come with the add-on; the user's own are in the extension's folder.
"""

from __future__ import annotations

from pathlib import Path

import bpy

from .. import engine_properties
from ..pipeline.errors import UserError
from ..pipeline.files.atomic_files import write_json
from ..pipeline.paths import PRESETS
from ..pipeline.settings import by_option
from ..pipeline.settings_file import read_settings
from ..pipeline.stage import last_stages
from ..pipeline.text import Said
from ..preferences import user_folder

_MAX_LISTED = 50


def own_folder() -> Path | None:
    """The folder of the user's presets; None if the add-on is not installed as an extension."""
    folder = user_folder()
    return folder / "presets" if folder else None


def presets() -> list[Path]:
    """The preset files: the add-on's, then the user's, each sorted by name."""
    files = sorted(PRESETS.glob("*.json"))
    own = own_folder()
    if own is not None and own.is_dir():
        files += sorted(path for path in own.glob("*.json") if path.is_file())
    return files[:_MAX_LISTED]


def apply_preset(scene: bpy.types.Scene, path: Path) -> str:
    """Load all settings from a file; those not in it become automatic. UserError if the file is invalid."""
    loaded = read_settings(path)
    settings, advanced = scene.recon3d, scene.recon3d.advanced
    for option, (declared, *_) in by_option().items():
        if option not in advanced.bl_rna.properties:
            continue
        value = loaded.values.get(declared.stage, {}).get(declared.name)
        if value is None:
            advanced.property_unset(option)
        else:
            setattr(advanced, option, value)
    settings.quality = loaded.quality or settings.quality
    settings.until = loaded.until if loaded.until in last_stages() else settings.until
    return Said("Loaded {name}.", name=path.stem)


def save_preset(scene: bpy.types.Scene, path: Path) -> str:
    """Write the panel's settings to a file. UserError if it cannot be written."""
    settings = scene.recon3d
    options = engine_properties.chosen_options(settings.advanced)
    document = engine_properties.settings_document(settings.quality, settings.until, options)
    path = path.with_suffix(".json")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, document)
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}): choose another folder.") from error
    return Said("Saved {path}.", path=path)
