"""A mesh whose texture has several tiles (UDIM) with a material for each: most formats and programs know no UDIM."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy
import numpy as np

from ..meshes.image_tiles import tile_paths
from .named_textures import image_nodes, images_of


@contextmanager
def tile_materials(mesh: bpy.types.Mesh) -> Iterator[None]:
    """Inside the block the mesh, which is changed for good, has a material for each tile, and UVs in 0..1.

    Meshes with one material only, as ours are.
    """
    tiled = {image: tile_paths(image) for image in images_of(mesh) if image.source == "TILED"}
    if not tiled or len(mesh.materials) != 1 or mesh.uv_layers.active is None:
        yield
        return
    base = mesh.materials[0]
    numbers = sorted(set().union(*tiled.values()))
    materials, images = [], []
    try:
        for number in numbers:
            material = base.copy()
            material.name = f"{base.name}_{number + 1}"
            materials.append(material)
            for node in image_nodes(material):
                path = tiled.get(node.image, {}).get(number)
                if path is not None:
                    single = bpy.data.images.load(str(path))
                    single.colorspace_settings.name = node.image.colorspace_settings.name
                    images.append(single)
                    node.image = single
        _split(mesh, materials, numbers)
        yield
    finally:
        mesh.materials.clear()
        for material in materials:
            bpy.data.materials.remove(material)
        for image in images:
            bpy.data.images.remove(image)


def _split(mesh: bpy.types.Mesh, materials: list[bpy.types.Material], numbers: list[int]) -> None:
    """Give each face the material of its tile, and move its UVs into 0..1."""
    layer = mesh.uv_layers.active
    flat = np.empty(2 * len(mesh.loops), np.float32)
    layer.uv.foreach_get("vector", flat)
    uv = flat.reshape(-1, 2)
    start, total = np.empty(len(mesh.polygons), np.int32), np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("loop_start", start)
    mesh.polygons.foreach_get("loop_total", total)
    face_of_loop = np.repeat(np.arange(len(total)), total)
    loops = start[face_of_loop] + np.arange(len(face_of_loop)) - np.repeat(np.cumsum(total) - total, total)
    middle = np.bincount(face_of_loop, uv[loops, 0], len(total)) / np.maximum(total, 1)
    tile = np.clip(np.floor(middle), numbers[0], numbers[-1]).astype(np.int32)
    uv[loops, 0] -= tile[face_of_loop]
    layer.uv.foreach_set("vector", flat)
    mesh.materials.clear()
    for material in materials:
        mesh.materials.append(material)
    mesh.polygons.foreach_set("material_index", np.searchsorted(numbers, tile).astype(np.int32))
    mesh.update()
