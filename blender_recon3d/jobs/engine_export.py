"""An asset to a file, by whom it takes: the engine where no scene is needed (photos, the cloud on a map), else Blender.

What of the two it is says one table for the panel, the API and the command line: pipeline/exporting/file_formats.py.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import bpy

from .. import preferences
from ..engine_setup import engine_process
from ..pipeline.errors import UserError
from ..pipeline.exporting.file_formats import SPLATS, SURVEY, ending_of
from ..pipeline.system.process_group import last_words
from ..scene.exporting.export_asset import export_asset
from ..scene.find_imports import workspace_of


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
        path = (
            path
            if path.suffix.lower() == ending_of(SURVEY)
            else path.with_name(path.name + ending_of(SURVEY))
        )
        return export_by_engine(workspace_of(collection), path, ["--preset", "survey"])
    return export_asset(collection, path, preset, fill, scale)


def export_by_engine(workspace: Path, path: Path, words: Iterable[str] = ()) -> str:
    """`recon3d export` of a workspace, waited for; a sentence. words: more of the command line. UserError."""
    said = ["export", str(workspace), str(path), *words, "--json"]
    command = engine_process.command(preferences.find_python(), said)
    with tempfile.TemporaryDirectory(prefix="recon3d-") as folder:
        errors = Path(folder) / "errors.txt"
        with open(errors, "wb") as file:
            done = subprocess.run(
                command, env=engine_process.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=file, check=False,
            )  # fmt: skip
        if done.returncode:
            raise UserError(last_words(errors)[0] or f"The engine could not export {path}.", done.returncode)
    files = json.loads(done.stdout)["files"]
    return f"Exported {', '.join(files)}."
