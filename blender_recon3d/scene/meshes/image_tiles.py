"""Images of a texture in Blender: one file, or the tiles of several (UDIM)."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...pipeline.files.texture_files import FIRST, tile_files

UDIM = "<UDIM>"


def load_image(path: Path, is_data: bool = False) -> bpy.types.Image:
    """The file's image, reloaded if it exists already, since the engine may have rewritten it. With the first of
    several tiles, NAME.1001.png, all of them. is_data: not colors."""
    name, dot, number = path.stem.rpartition(".")
    tiled = bool(dot) and number == str(FIRST)
    wanted = path.with_name(f"{name}.{UDIM}{path.suffix}") if tiled else path
    image = next((image for image in bpy.data.images if _file_of(image) == wanted), None)
    if image is None:
        image = bpy.data.images.load(str(path))
        if is_data:
            image.colorspace_settings.name = "Non-Color"
    if tiled:
        image.source = "TILED"
        image.filepath = str(wanted)
        numbers = {int(file.stem.rpartition(".")[2]) for file in tile_files(path.parent, name, path.suffix)}
        for tile in [tile for tile in image.tiles if tile.number not in numbers]:
            image.tiles.remove(tile)
        for missing in sorted(numbers - {tile.number for tile in image.tiles}):
            image.tiles.new(tile_number=missing)
    image.reload()
    return image


def tile_paths(image: bpy.types.Image) -> dict[int, Path]:
    """The files of a tiled image's tiles, by their number from 0; empty for other images."""
    if image.source != "TILED":
        return {}
    pattern = str(_file_of(image))
    return {tile.number - FIRST: Path(pattern.replace(UDIM, str(tile.number))) for tile in image.tiles}


def _file_of(image: bpy.types.Image) -> Path:
    return Path(bpy.path.abspath(image.filepath, library=image.library))
