"""What takes long with meshes, done by another Blender in the background: this one can go on drawing, and cancel it.

The other one gets copies of the objects, so that a cancel leaves nothing behind.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ...pipeline.errors import UserError
from ...pipeline.paths import PACKAGE
from ...pipeline.system.process_group import ProcessGroup
from ..modes import object_mode
from . import bake, remesh, work_request
from .mesh_object import UV_MAP

SCRIPT = PACKAGE / "scene" / "meshes" / "background_script.py"


def is_possible() -> bool:
    """Whether there is a window that must not stand still, and a Blender to start."""
    return bool(bpy.app.binary_path) and not bpy.app.background


class BackgroundWork:
    """A Blender at work on some objects. `done` says whether it has ended; `finish` takes in what it has made."""

    def __init__(
        self, things: list[bpy.types.Object], words: Mapping[str, Any], take: Callable[[Path, str], str]
    ) -> None:
        """words: what to do; take: takes in the result, from its folder and what is said of it; gives a sentence."""
        self._things, self._take = things, take
        self._folder = tempfile.TemporaryDirectory(prefix="recon3d-", ignore_cleanup_errors=True)
        path = Path(self._folder.name)
        command = [
            bpy.app.binary_path,
            "--background",
            "--factory-startup",
            "--python",
            str(SCRIPT),
            "--",
            str(PACKAGE),
            str(path),
        ]
        try:
            work_request.write_request(path, things, words)
            self._process = ProcessGroup(command, os.environ, path / "log.txt")
        except (OSError, RuntimeError) as error:
            self._folder.cleanup()
            raise UserError(f"{path} cannot be written ({error}): free some space on its disk.") from error
        except UserError:
            self._folder.cleanup()
            raise

    def done(self) -> bool:
        return self._process.exit_code() is not None

    def finish(self) -> str:
        """Take in the result; a sentence. UserError, and then nothing has changed."""
        path = Path(self._folder.name)
        try:
            how = work_request.read_answer(path)
            if not all(_is_there(thing) for thing in self._things):
                raise UserError("The mesh was replaced meanwhile: try again.")
            with object_mode():
                return self._take(path, how)
        finally:
            self._folder.cleanup()

    def cancel(self) -> None:
        """End it at once; nothing has changed."""
        self._process.kill()
        self._folder.cleanup()


def start_quads(
    collection: bpy.types.Collection, faces: int, added: Callable[[bpy.types.Object], None]
) -> BackgroundWork:
    """Begin what `remesh.quads` does. added: called with the new object. UserError."""
    with object_mode():
        source = remesh.quads_source(collection, faces)

        def take(folder: Path, how: str) -> str:
            with bpy.data.libraries.load(str(folder / work_request.MESH_FILE), link=False) as (found, wanted):
                wanted.meshes = list(found.meshes)
            thing, sentence = remesh.add_quads(collection, source, wanted.meshes[0], how, faces)
            added(thing)
            return sentence

        return BackgroundWork([source], {"what": work_request.QUADS, "faces": faces}, take)


def start_bake(collection: bpy.types.Collection, what: str, size: int, extrusion: float) -> BackgroundWork:
    """Begin what `bake.bake_normals` and `bake.bake_texture` do. what: as `bake.Bake` has it. UserError."""
    with object_mode():
        wanted = bake.bake_wanted(collection, what, size, extrusion)

        def take(folder: Path, how: str) -> str:
            if (folder / work_request.UV_FILE).is_file():
                _give_uvs(wanted.target.data, np.load(folder / work_request.UV_FILE, allow_pickle=False))
            image = bake.new_image(wanted)
            _read_pixels(image, folder / work_request.IMAGE_FILE)
            bake.save_image(image, bake.image_file(collection, wanted))
            return bake.connect(wanted, image)

        words = {"what": what, "size": size, "extrusion": extrusion}
        return BackgroundWork([wanted.target, wanted.source], words, take)


def _give_uvs(mesh: bpy.types.Mesh, uv: np.ndarray) -> None:
    """uv float32 [loops, 2]. UserError where the mesh has changed meanwhile."""
    if len(uv) != len(mesh.loops):
        raise UserError(f"{mesh.name} was changed meanwhile: try again.")
    layer = mesh.uv_layers.new(name=UV_MAP)
    layer.uv.foreach_set("vector", np.ascontiguousarray(uv, np.float32).ravel())


def _read_pixels(image: bpy.types.Image, path: Path) -> None:
    """Those of a file of the same size and color space, without a trace of that file."""
    read = bpy.data.images.load(str(path))
    try:
        read.colorspace_settings.name = image.colorspace_settings.name
        pixels = np.empty(4 * image.size[0] * image.size[1], np.float32)
        read.pixels.foreach_get(pixels)
        image.pixels.foreach_set(pixels)
        image.update()
    finally:
        bpy.data.images.remove(read)


def _is_there(thing: bpy.types.Object) -> bool:
    try:
        return bool(thing.name in bpy.data.objects)
    except ReferenceError:
        return False
