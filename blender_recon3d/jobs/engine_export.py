"""An asset to a file, by whom it takes: the engine where no scene is needed (photos, the cloud on a map), else Blender.

What of the two it is says one table for the panel, the API and the command line: pipeline/exporting/file_formats.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import bpy

from .. import preferences
from ..engine_setup import engine_process
from ..pipeline.exporting.file_formats import SPLATS, SURVEY, ending_of
from ..pipeline.files import json_values
from ..scene.exporting.export_asset import export_asset
from ..scene.find_imports import workspace_of
from .engine_query import EngineQuery


def export(
    collection: bpy.types.Collection, path: Path, preset: str, fill: bool, scale: float, photos: str = "full"
) -> str:
    """Write an import to a file, or for SPLATS to a folder; a sentence. Waits for the engine. UserError.

    preset: of file_formats.FORMATS or PRESETS, in capitals. fill, scale: as in export_asset, of a mesh from Blender.
    photos: of the folder, export_options.SIZES.
    """
    if preset == SPLATS:
        return export_by_engine(workspace_of(collection), path, ["--photos", photos])
    if preset == SURVEY:
        ending = ending_of(SURVEY)
        path = path if path.suffix.lower() == ending else path.with_name(path.name + ending)
        return export_by_engine(workspace_of(collection), path, ["--preset", "survey"])
    return export_asset(collection, path, preset, fill, scale)


def export_by_engine(workspace: Path, path: Path, words: Iterable[str] = ()) -> str:
    """`recon3d export` of a workspace, waited for; a sentence. words: more of the command line. UserError."""
    said = ["export", str(workspace), str(path), *words, "--json"]
    command = engine_process.command(preferences.find_python(), said)
    answer = EngineQuery(command, engine_process.environment()).wait()
    return f"Exported {', '.join(json_values.items(answer.get('files')))}."
