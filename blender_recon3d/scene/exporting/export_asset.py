"""Export the asset: the mesh in world space, in meters, with modifiers applied and its texture.

A preset is one of formats.EXPORTERS or PURPOSES; exports without a scene are done by the engine
(jobs/engine_export.py).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import bpy
from mathutils import Matrix

from ...pipeline.errors import UserError
from ...pipeline.exporting.file_formats import WEB_TEXTURE
from ...pipeline.exporting.georeference import Reference, write_reference
from ...pipeline.exporting.glb_levels import link_levels
from ...pipeline.files.regular import is_utf8
from ...pipeline.text import Said, printable, sentences
from ..meshes.fill_holes import fill_holes
from ..meshes.mesh_object import triangles_of
from ..meshes.open_edges import openness
from ..meshes.surfaces import surface_of
from ..modes import object_mode
from ..own_names import own_names
from ..scratch_scene import evaluated_mesh, operating_on, scratch
from ..world_matrices import world_matrix
from .camera_text_files import FilmCamera
from .film_cameras import film_cameras, scene_of_cameras
from .formats import CENTIMETERS, EXPORTERS, Exporter, write_game, write_web
from .named_textures import display_textures, named_textures, rename_material_file, smaller_textures
from .place_on_earth import place_on_earth
from .purposes import LEVEL_COVERAGE, WEB_FACES, game_parts, level_names, levels, reduce_faces
from .tile_materials import tile_materials
from .write_by_operator import write_whole

PURPOSES = {
    "WEB": "GLB",
    "LODS": "GLB",
    "GAME": "FBX",
    "PRINT": "STL",
    "VFX": "USD",
}  # and the format of each
PRESETS = (*EXPORTERS, *PURPOSES)
MILLIMETERS = 1000.0


def export_asset(
    collection: bpy.types.Collection, path: Path, preset: str, fill: bool = False, scale: float = 1.0
) -> str:
    """Write an import's mesh (chosen by surfaces.surface_of) to a file; returns a message.

    path: gets the preset's extension if it has none of them. fill: close holes first, on a copy. scale: factor for
    lengths in the file; 1000 for millimeters. UserError if there is no mesh, or if the file cannot be written, in which
    case an earlier file of that name is intact.
    """
    with object_mode():
        return write_asset(asset_of(collection, path, preset, fill, scale))


@dataclass(frozen=True)
class Asset:
    """What is to be written, and how. world: the file's coordinates from the source's own [4, 4]. folder: where the
    file is written before it appears; None for one with a name of its own. reference: where it is on Earth, None if
    unknown; lost: a message if it was moved from there."""

    source: bpy.types.Object
    world: Matrix
    path: Path
    preset: str
    fill: bool
    cameras: list[FilmCamera]
    folder: Path | None = None
    reference: Reference | None = None
    lost: str = ""


def asset_of(collection: bpy.types.Collection, path: Path, preset: str, fill: bool, scale: float) -> Asset:
    """The asset that `export_asset` writes. Raises UserError."""
    if preset not in PRESETS:
        raise UserError(f"There is no preset {preset}: choose one of {', '.join(PRESETS)}.", 2)
    exporter = exporter_of(preset, path)
    if not exporter.available():
        raise UserError(f"This Blender was built without {exporter.title}: choose another format.", 2)
    if not (scale > 0):
        raise UserError("The scale must be greater than zero.", 2)
    if not is_utf8(path.name):
        raise UserError(
            f"{printable(str(path))} cannot be exported, since its name is not UTF-8: choose another name.", 2
        )
    if path.suffix.lower() not in exporter.endings:
        path = path.with_name(path.name + exporter.endings[0])
    if preset == "PRINT":
        fill, scale = True, scale * MILLIMETERS
    if preset == "GAME":
        scale *= CENTIMETERS
    cameras = film_cameras(collection) if preset == "VFX" else []
    source = surface_of(collection)
    meters = bpy.context.scene.unit_settings.scale_length or 1.0
    world = Matrix.Scale(scale * meters, 4) @ world_matrix(source)
    in_meters = scale == 1 and preset not in ("PRINT", "GAME")
    reference, lost = place_on_earth(collection, world, path) if in_meters else (None, "")
    return Asset(source, world, path.absolute(), preset, fill, cameras, None, reference, lost)


def write_asset(asset: Asset) -> str:
    """Write it, in Object Mode; returns a message. UserError."""
    preset, exporter = asset.preset, exporter_of(asset.preset, asset.path)
    with own_names({asset.path.stem}):
        mesh = evaluated_mesh(asset.source, asset.path.stem)
        with scratch(mesh) as obj:
            mesh.transform(asset.world)
            filled = _filled(mesh, preset == "PRINT") if asset.fill else ""
            if preset == "WEB":
                reduce_faces(obj, WEB_FACES)
            faces = len(obj.data.polygons)
            _drop_unused(obj.data, "GLB" if preset in ("WEB", "LODS") else preset)
            checked = openness(triangles_of(obj.data)[1]).sentence() if exporter is EXPORTERS["STL"] else ""
            _write(_writer(preset, exporter), obj, asset)
    extra = Said("With {cameras} cameras.", cameras=len(asset.cameras)) if asset.cameras else ""
    sentence = Said("Exported {faces} faces to {path}.", faces=f"{faces:,}", path=asset.path)
    placed = (
        Said("Its place on Earth is in {path}.", path=_write_place(asset)) if asset.reference else asset.lost
    )
    return sentences(sentence, extra, filled, checked, placed)


def _write_place(asset: Asset) -> Path:
    assert asset.reference
    try:
        return write_reference(asset.path, asset.reference)[0]
    except OSError as error:
        raise UserError(
            f"{asset.path} cannot be written ({error.strerror}): choose another folder."
        ) from error


def words_of(asset: Asset) -> dict[str, Any]:
    """The asset without its source, for a second Blender."""
    return {
        "world": [list(row) for row in asset.world],
        "path": str(asset.path),
        "preset": asset.preset,
        "fill": asset.fill,
        "cameras": [camera.as_json() for camera in asset.cameras],
        "folder": str(asset.folder) if asset.folder else "",
        "reference": asdict(asset.reference) if asset.reference else None,
        "lost": str(asset.lost),
    }


def asset_from_words(source: bpy.types.Object, words: dict[str, Any]) -> Asset:
    """The inverse of `words_of`."""
    cameras = [FilmCamera.from_json(camera) for camera in words["cameras"]]
    folder = Path(words["folder"]) if words["folder"] else None
    world, path = Matrix(words["world"]), Path(words["path"])
    reference = Reference(**words["reference"]) if words["reference"] else None
    preset, fill = words["preset"], bool(words["fill"])
    return Asset(source, world, path, preset, fill, cameras, folder, reference, words["lost"])


def exporter_of(preset: str, path: Path) -> Exporter:
    """The format of a preset; for VFX, Alembic if the file's extension is .abc."""
    if preset == "VFX" and path.suffix.lower() in EXPORTERS["ABC"].endings:
        return EXPORTERS["ABC"]
    return EXPORTERS[PURPOSES.get(preset, preset)]


def _writer(preset: str, exporter: Exporter) -> Callable[[str], None]:
    return {"WEB": write_web, "GAME": write_game}.get(preset, exporter.write)


def _drop_unused(mesh: bpy.types.Mesh, preset: str) -> None:
    """Remove selections and the like, which some formats would export, and in GLB colors made redundant by a
    texture."""
    textured = any(
        node.type == "TEX_IMAGE" for m in mesh.materials if m and m.node_tree for node in m.node_tree.nodes
    )
    for attribute in [a for a in mesh.attributes if not a.is_internal and not a.is_required]:
        is_color = attribute.name in mesh.color_attributes
        is_uv = attribute.name in mesh.uv_layers
        if not (is_color or is_uv) or (is_color and textured and preset == "GLB"):
            mesh.attributes.remove(mesh.attributes[attribute.name])


def _filled(mesh: bpy.types.Mesh, flat: bool) -> str:
    count = fill_holes(mesh, flat)
    if count == 1:
        return Said("One hole was filled.")
    return Said("{count} holes were filled.", count=f"{count:,}")


def _write(write: Callable[[str], None], obj: bpy.types.Object, asset: Asset) -> None:
    """Write to a temporary folder first, so that a file appears atomically, with all its companions."""
    path = asset.path

    def rename(file: Path) -> None:
        if file.suffix.lower() == ".obj":
            rename_material_file(file)
        if asset.preset == "LODS":
            link_levels(file, level_names(path.stem), LEVEL_COVERAGE)

    try:
        with (
            tempfile.TemporaryDirectory(prefix="recon3d-") as textures,
            tile_materials(obj.data),
            _stage(obj, path.stem, asset.preset, asset.cameras),
            display_textures(obj.data, path),
            smaller_textures(obj.data, WEB_TEXTURE) if asset.preset == "WEB" else nullcontext(),
            named_textures(obj.data, path, Path(textures)),
        ):
            write_whole(path, write, rename, asset.folder)
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}): choose another folder.") from error


@contextmanager
def _stage(
    obj: bpy.types.Object, name: str, preset: str, cameras: list[FilmCamera]
) -> Iterator[bpy.types.Scene]:
    """The scene for the exporter: the mesh, and the additions for its purpose."""
    with ExitStack() as stack:
        if preset == "VFX":
            yield stack.enter_context(scene_of_cameras(cameras, False, obj))
            return
        parts = {"GAME": game_parts, "LODS": levels}.get(preset)
        others = stack.enter_context(parts(obj, name)) if parts else []
        yield stack.enter_context(operating_on(obj, *others))
