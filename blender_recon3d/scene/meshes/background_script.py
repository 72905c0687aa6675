"""Script for a background Blender: carries out the request that `work_request` has written to a folder.

blender --background --factory-startup --python background_script.py -- PACKAGE FOLDER

PACKAGE: the folder of the package, which is not installed as an add-on here.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import bpy

NAME = "recon3d_in_background"
Things = list[bpy.types.Object]


def take_package(folder: Path) -> None:
    """Load the package without enabling it as an add-on."""
    spec = importlib.util.spec_from_file_location(
        NAME, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None
    sys.modules[NAME] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[NAME])


def load(module: str) -> Any:
    """A module of the package."""
    return importlib.import_module(f"{NAME}.{module}")


def main(folder: Path) -> None:
    work_request = load("scene.meshes.work_request")
    user_error = load("pipeline.errors").UserError
    try:
        things, words = work_request.read_request(folder)
        makers = {
            work_request.QUADS: make_quads,
            work_request.DECIMATE: decimate,
            work_request.LODS: make_lods,
            work_request.EXPORT: export,
            work_request.UNWRAP: unwrap,
            work_request.CAMERAS: export_cameras,
        }
        how = makers.get(words["what"], bake)(work_request, folder, things, words)
        work_request.write_answer(folder, how)
    except user_error as error:
        work_request.write_answer(folder, error=str(error))


def make_quads(work_request: Any, folder: Path, things: Things, words: dict[str, Any]) -> str:
    mesh, how = load("scene.meshes.remesh").quad_mesh(things[0], int(words["faces"]))
    work_request.write_meshes(folder, [mesh])
    return how


def decimate(work_request: Any, folder: Path, things: Things, words: dict[str, Any]) -> str:
    work_request.write_meshes(
        folder, [load("scene.meshes.remesh").decimated_mesh(things[0], int(words["faces"]))]
    )
    return ""


def make_lods(work_request: Any, folder: Path, things: Things, words: dict[str, Any]) -> str:
    make = load("scene.meshes.remesh").lod_meshes
    work_request.write_meshes(folder, make(things[0], int(words["levels"]), float(words["ratio"])))
    return ""


def export(work_request: Any, folder: Path, things: Things, words: dict[str, Any]) -> str:
    exporting = load("scene.exporting.export_asset")
    return exporting.write_asset(exporting.asset_from_words(things[0], words["asset"]))


def export_cameras(work_request: Any, folder: Path, things: Things, words: dict[str, Any]) -> str:
    exporting = load("scene.exporting.export_cameras")
    return exporting.write_film(exporting.film_from_words(words["cameras"]))


def unwrap(work_request: Any, folder: Path, things: Things, words: dict[str, Any]) -> str:
    load("scene.meshes.bake").unwrap(things[0].data)
    write_uvs(work_request, folder, things[0].data)
    return ""


def bake(work_request: Any, folder: Path, things: Things, words: dict[str, Any]) -> str:
    baking = load("scene.meshes.bake")
    target, source = things
    bare = not len(target.data.uv_layers)
    wanted = baking.Bake(words["what"], target, source, int(words["size"]), float(words["extrusion"]))
    baking.save_image(baking.bake_image(wanted), folder / work_request.IMAGE_FILE)
    if bare:
        write_uvs(work_request, folder, target.data)
    return ""


def write_uvs(work_request: Any, folder: Path, mesh: bpy.types.Mesh) -> None:
    import numpy as np

    uv = np.empty(2 * len(mesh.loops), np.float32)
    mesh.uv_layers.active.uv.foreach_get("vector", uv)
    np.save(folder / work_request.UV_FILE, uv.reshape(-1, 2))


if __name__ == "__main__":
    package, given = (Path(word) for word in sys.argv[sys.argv.index("--") + 1 :])
    take_package(package)
    main(given)
    sys.stdout.flush()
    os._exit(0)  # Blender's cleanup is slow, and some builds crash in it
