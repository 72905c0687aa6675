"""Export an asset, with the engine if no scene is needed (photos, the georeferenced cloud), otherwise with Blender.

The table in pipeline/exporting/file_formats.py decides which, for the panel, the API and the command line.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import bpy

from .. import preferences
from ..engine_setup import engine_process
from ..pipeline.exporting.file_formats import FORMATS, SPLATS, SURVEY, ending_of
from ..pipeline.files import json_values
from ..pipeline.files.atomic_files import PART, remove
from ..pipeline.text import Said
from ..scene.exporting import export_asset
from ..scene.find_imports import workspace_of
from ..scene.meshes import background_work
from ..scene.modes import object_mode
from ..scene.stepwise import PAUSE, Steps, run
from .engine_query import EngineQuery


def export(
    collection: bpy.types.Collection, path: Path, preset: str, fill: bool, scale: float, photos: str = "full"
) -> str:
    """Write an import to a file, or for SPLATS to a folder; waits for the engine and returns a message. UserError.

    preset: of file_formats.FORMATS or PRESETS, in capitals. fill, scale: as in export_asset, for a mesh from Blender.
    photos: size of the folder's photos, one of export_options.SIZES.
    """
    return run(export_in_steps(collection, path, preset, fill, scale, photos, False))


def export_in_steps(
    collection: bpy.types.Collection,
    path: Path,
    preset: str,
    fill: bool,
    scale: float,
    photos: str,
    in_window: bool,
) -> Steps[str]:
    """What `export` does. in_window: another Blender writes what takes a scene, where one can be started."""
    if preset == SPLATS:
        return (yield from export_by_engine(workspace_of(collection), path, ["--photos", photos]))
    if preset == SURVEY:
        if path.suffix.lower() not in FORMATS["LAS"].endings:
            path = path.with_name(path.name + ending_of(SURVEY))
        return (yield from export_by_engine(workspace_of(collection), path, ["--preset", "survey"]))
    if preset in FORMATS and not FORMATS[preset].blender:
        if path.suffix.lower() not in FORMATS[preset].endings:
            path = path.with_name(path.name + ending_of(preset))
        return (yield from export_by_engine(workspace_of(collection), path))
    with object_mode():
        asset = export_asset.asset_of(collection, path, preset, fill, scale)
        if not in_window or not background_work.is_possible(asset.source):
            return export_asset.write_asset(asset)
    return (yield from background_work.in_background(lambda: background_work.start_export(asset)))


def export_by_engine(workspace: Path, path: Path, words: Iterable[str] = ()) -> Steps[str]:
    """Run `recon3d export` on a workspace; returns a message. words: further arguments. Raises UserError."""
    arguments = ["export", str(workspace), str(path), *words, "--json"]
    command = engine_process.command(preferences.find_python(), arguments)
    query = EngineQuery(command, engine_process.environment())
    try:
        while query.running:
            query.poll()
            yield PAUSE
    except GeneratorExit:
        query.stop()
        remove(path.with_name(path.name + PART))  # what it was writing
        raise
    files = ", ".join(json_values.items(query.wait().get("files")))
    return Said("Exported {files}.", files=files)
