"""Slow mesh operations in a second, background Blender, so that this one stays responsive and can cancel them.

The second Blender gets copies of the objects, so that a cancel leaves nothing behind.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ...pipeline.errors import UserError
from ...pipeline.paths import PACKAGE
from ...pipeline.system.process_group import ProcessGroup
from ..exporting import export_asset, export_cameras
from ..exporting.named_textures import images_of
from ..exporting.write_by_operator import scratch_name
from ..modes import object_mode
from ..stepwise import PAUSE, Steps
from . import bake, remesh, work_request
from .mesh_object import UV_MAP

SCRIPT = PACKAGE / "scene" / "meshes" / "background_script.py"


def is_possible(*things: bpy.types.Object) -> bool:
    """Whether there is a window to keep responsive, a Blender to start, and no unsaved paint on the objects' textures,
    which the second Blender reads from their files."""
    unsaved = any(image.is_dirty for obj in things for image in images_of(obj.data))
    return bool(bpy.app.binary_path) and not bpy.app.background and not unsaved


class BackgroundWork:
    """A background Blender working on some objects. `done`: whether it has ended; `finish`: imports its result."""

    def __init__(
        self,
        things: list[bpy.types.Object],
        words: Mapping[str, Any],
        take: Callable[[Path, str], str],
        leftover: Path | None = None,
    ) -> None:
        """words: what to do; take: takes in the result, from its folder and what is said of it; gives a sentence.
        leftover: a folder that the other one leaves behind when it is killed."""
        self._things, self._take, self._leftover = things, take, leftover
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
            environment = {**os.environ, "TMPDIR": str(path), "TEMP": str(path)}  # goes with the folder
            self._process = ProcessGroup(command, environment, path / "log.txt")
        except (OSError, RuntimeError) as error:
            self._folder.cleanup()
            raise UserError(f"{path} cannot be written ({error}): free some space on its disk.") from error
        except UserError:
            self._folder.cleanup()
            raise

    def done(self) -> bool:
        return self._process.exit_code() is not None

    def finish(self) -> str:
        """Import the result; returns a message. UserError, in which case nothing has changed."""
        path = Path(self._folder.name)
        try:
            how = work_request.read_answer(path)
            if not all(_is_there(obj) for obj in self._things):
                raise UserError("The mesh was replaced meanwhile: try again.")
            with object_mode():
                return self._take(path, how)
        finally:
            self._folder.cleanup()

    def cancel(self) -> None:
        """Kill it; nothing has changed."""
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()
        if self._leftover is not None:
            shutil.rmtree(self._leftover, ignore_errors=True)


def in_background(start: Callable[[], BackgroundWork]) -> Steps[str]:
    """Start the work in a second Blender, wait for it, and import its result; returns its message."""
    work = start()
    try:
        while not work.done():
            yield PAUSE
    except GeneratorExit:
        work.cancel()
        raise
    return work.finish()


def start_quads(
    collection: bpy.types.Collection, faces: int, added: Callable[[bpy.types.Object], None]
) -> BackgroundWork:
    """Start `remesh.quads` in the background. added: called with the new object. UserError."""
    with object_mode():
        source = remesh.quads_source(collection, faces)

        def take(folder: Path, how: str) -> str:
            mesh = work_request.read_meshes(folder, source)[0]
            obj, sentence = remesh.add_quads(collection, source, mesh, how, faces)
            added(obj)
            return sentence

        return BackgroundWork([source], {"what": work_request.QUADS, "faces": faces}, take)


def start_decimate(
    collection: bpy.types.Collection, faces: int, added: Callable[[bpy.types.Object], None]
) -> BackgroundWork:
    """Start `remesh.decimate` in the background. added: called with the new object. UserError."""
    with object_mode():
        source = remesh.decimate_source(collection, faces)

        def take(folder: Path, how: str) -> str:
            mesh = work_request.read_meshes(folder, source)[0]
            obj = remesh.add_decimated(collection, source, mesh, faces)
            added(obj)
            return remesh.faces_sentence(obj)

        return BackgroundWork([source], {"what": work_request.DECIMATE, "faces": faces}, take)


def start_lods(collection: bpy.types.Collection, levels: int, ratio: float) -> BackgroundWork:
    """Start `remesh.make_lods` in the background. UserError."""
    with object_mode():
        source = remesh.lods_source(collection, levels, ratio)

        def take(folder: Path, how: str) -> str:
            meshes = work_request.read_meshes(folder, source)
            return remesh.lods_sentence(remesh.add_lods(collection, source, meshes))

        words = {"what": work_request.LODS, "levels": levels, "ratio": ratio}
        return BackgroundWork([source], words, take)


def start_bake(collection: bpy.types.Collection, what: str, size: int, extrusion: float) -> BackgroundWork:
    """Start `bake.bake_normals` or `bake.bake_texture` in the background. what: as in `bake.Bake`. UserError."""
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


def start_unwrap(obj: bpy.types.Object) -> BackgroundWork:
    """Start `bake.unwrap` in the background. UserError."""

    def take(folder: Path, how: str) -> str:
        _give_uvs(obj.data, np.load(folder / work_request.UV_FILE, allow_pickle=False))
        return ""

    return BackgroundWork([obj], {"what": work_request.UNWRAP}, take)


def start_export(asset: export_asset.Asset) -> BackgroundWork:
    """Start `export_asset.write_asset` in the background. UserError."""
    folder = scratch_name(asset.path)
    words = export_asset.words_of(replace(asset, folder=folder))
    return BackgroundWork(
        [asset.source], {"what": work_request.EXPORT, "asset": words}, lambda _, how: how, leftover=folder
    )


def export_cameras_in_steps(
    collection: bpy.types.Collection, target: Path, kind: str, animated: bool, in_window: bool
) -> Steps[str]:
    """`export_cameras.export_cameras`. in_window: another Blender writes what one of Blender's exporters writes, which
    takes seconds for hundreds of cameras."""
    known = export_cameras.KINDS.get(kind)
    if known is None or not known.operator or not in_window or not is_possible():
        return export_cameras.export_cameras(collection, target, kind, animated)
    folder = scratch_name(target)
    wanted = replace(export_cameras.film_export(collection, target, kind, animated), folder=folder)
    words = {"what": work_request.CAMERAS, "cameras": export_cameras.words_of(wanted)}
    return (yield from in_background(lambda: BackgroundWork([], words, lambda _, how: how, leftover=folder)))


def _give_uvs(mesh: bpy.types.Mesh, uv: np.ndarray) -> None:
    """Set a mesh's UVs, float32 [loops, 2]. UserError if the mesh has changed meanwhile."""
    if len(uv) != len(mesh.loops):
        raise UserError(f"{mesh.name} was changed meanwhile: try again.")
    layer = mesh.uv_layers.new(name=UV_MAP)
    layer.uv.foreach_set("vector", np.ascontiguousarray(uv, np.float32).ravel())


def _read_pixels(image: bpy.types.Image, path: Path) -> None:
    """Copy pixels from a file of the same size and color space, without referring to that file."""
    read = bpy.data.images.load(str(path))
    try:
        read.colorspace_settings.name = image.colorspace_settings.name
        pixels = np.empty(4 * image.size[0] * image.size[1], np.float32)
        read.pixels.foreach_get(pixels)
        image.pixels.foreach_set(pixels)
        image.update()
    finally:
        bpy.data.images.remove(read)


def _is_there(obj: bpy.types.Object) -> bool:
    try:
        return bool(obj.name in bpy.data.objects)
    except ReferenceError:
        return False
