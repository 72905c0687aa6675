"""The request to a background Blender for work on meshes, and its answer, as a folder of files.

request.json and objects.blend go in; answer.json comes out, with mesh.blend, or image.png and uv.npy.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy

from ...pipeline.errors import UserError
from ...pipeline.files import json_values
from ...pipeline.files.atomic_files import write_json
from ...pipeline.files.regular import read_regular
from ...pipeline.text import said_from, said_json

REQUEST, OBJECTS, ANSWER = "request.json", "objects.blend", "answer.json"
MESH_FILE, IMAGE_FILE, UV_FILE = "mesh.blend", "image.png", "uv.npy"
# What to do; or to bake, as `bake.Bake` says.
QUADS, DECIMATE, LODS, UNWRAP = "QUADS", "DECIMATE", "LODS", "UNWRAP"
EXPORT, CAMERAS = "EXPORT", "CAMERAS"


def write_request(folder: Path, things: list[bpy.types.Object], words: Mapping[str, Any]) -> None:
    """Write the objects with their data. words: what to do with them."""
    names = [obj.name for obj in things]
    write_json(folder / REQUEST, {"version": 1, "objects": names, **words})
    bpy.data.libraries.write(str(folder / OBJECTS), set(things), path_remap="ABSOLUTE", compress=False)


def read_request(folder: Path) -> tuple[list[bpy.types.Object], dict[str, Any]]:
    """The objects in their original order, and the words."""
    raw = json_values.mapping(json_values.parse(read_regular(folder / REQUEST, json_values.MAX_BYTES)))
    with bpy.data.libraries.load(str(folder / OBJECTS), link=False) as (_, wanted):
        wanted.objects = list(raw["objects"])
    return list(wanted.objects), raw


def write_meshes(folder: Path, meshes: list[bpy.types.Mesh]) -> None:
    """Write resulting meshes, without materials, which are copied from the source."""
    for number, mesh in enumerate(meshes):
        mesh.name = f"{number}"
        for slot in range(len(mesh.materials)):
            mesh.materials[slot] = None
    bpy.data.libraries.write(str(folder / MESH_FILE), set(meshes), compress=False)


def read_meshes(folder: Path, source: bpy.types.Object) -> list[bpy.types.Mesh]:
    """The meshes from `write_meshes`, with the materials of the source."""
    with bpy.data.libraries.load(str(folder / MESH_FILE), link=False) as (available, wanted):
        wanted.meshes = sorted(available.meshes, key=int)
    for mesh in wanted.meshes:
        for slot, material in enumerate(source.data.materials[: len(mesh.materials)]):
            mesh.materials[slot] = material
    return list(wanted.meshes)


def write_answer(folder: Path, how: str = "", error: str = "") -> None:
    """how: details on the result. error: the error message."""
    write_json(folder / ANSWER, {"version": 1, "how": said_json(how), "error": error})


def read_answer(folder: Path) -> str:
    """Details on the result. UserError if it failed, or if there is no answer."""
    try:
        raw = json_values.mapping(json_values.parse(read_regular(folder / ANSWER, json_values.MAX_BYTES)))
    except (OSError, ValueError) as error:
        raise UserError(
            "Blender in the background ended without an answer: save the file, close other programs, and try again."
        ) from error
    if raw.get("error"):
        raise UserError(json_values.text(raw.get("error")))
    return said_from(raw.get("how"))
