"""Start the engine, with the settings in a file in the workspace for `recon3d run --settings`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import bpy

from .. import engine_properties, preferences
from ..engine_setup import engine_process
from ..pipeline.files import json_values
from ..pipeline.files.regular import read_regular
from ..pipeline.workspace import Workspace
from ..properties import workspace_path
from ..scene.cleaning.cleaned_cloud_file import cleaned_cloud_in_steps
from ..scene.cleaning.crop_box import write_crop
from ..scene.find_imports import BOX, CLOUD, find_object
from ..scene.importing.import_workspace import find_import
from ..scene.stepwise import Steps
from .engine_job import EngineJob


def start_engine(
    folder: Path, quality: str, until: str, options: Mapping[str, Any], words: Iterable[str] = ()
) -> EngineJob:
    """Start a run in a workspace. Raises UserError.

    options: settings by option, including the photos; the device defaults to that in the preferences.
    words: command-line arguments, which take precedence over these.
    """
    options = {"device": preferences.device(), **options}
    document = engine_properties.settings_document(quality, until, options)
    arguments = ["run", "-o", str(folder), "--settings", str(Workspace(folder).settings), "--json", *words]
    command = engine_process.command(preferences.find_python(), arguments)
    return EngineJob(command, engine_process.environment(), folder, document)


def scene_options(scene: bpy.types.Scene, folder: Path) -> dict[str, Any]:
    """The scene's settings, and the crop box of an earlier import of the workspace."""
    options = {**engine_properties.chosen_options(scene.recon3d.advanced), **kept_alignment(folder)}
    collection = find_import(scene, Workspace(folder).root)
    if collection is not None and find_object(collection, BOX) is not None:
        options["crop"] = str(write_crop(collection))
    return options


def kept_alignment(folder: Path) -> dict[str, Any]:
    """The options that keep another program's cameras when the workspace is run again; empty if there are none."""
    try:
        job = json_values.mapping(
            json_values.parse(read_regular(Workspace(folder).job, json_values.MAX_BYTES))
        )
    except (OSError, ValueError):
        return {}
    project = json_values.text(json_values.mapping(job.get("sfm")).get("alignment"))
    return alignment_options(project) if project else {}


def alignment_options(project: str) -> dict[str, Any]:
    """Options to use a project's cameras unchanged, with all photos that have one."""
    return {"alignment": project, "refine": "off", "keep_blurred": True, "keep_copies": True}


def cleaned_cloud(scene: bpy.types.Scene) -> Steps[dict[str, Any]]:
    """The cleaned cloud of the scene as an option; empty if there is no cleaning."""
    folder = workspace_path(scene.recon3d)
    collection = find_import(scene, Workspace(folder).root) if folder else None
    cloud = find_object(collection, CLOUD) if collection else None
    path = None
    if cloud is not None and len(cloud.data.vertices):
        path = yield from cleaned_cloud_in_steps(collection)
    return {"cloud": str(path)} if path else {}
