"""The parts of an import, for the panels, looked up without changing or computing anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import bpy

from ..pipeline.texel_density import Density
from .cameras import KEY
from .cleaning import clean_modifier
from .cleaning.deleted_points import is_edited
from .find_imports import BOX, CLOUD, MESH, SURFACES, current_import, is_hidden, parts_by_kind
from .meshes.mesh_material import color_image, is_ours
from .point_display import input_property

USUAL_SIZE = 4096  # of a texture, in pixels


@dataclass(frozen=True)
class AssetState:
    """inputs: of the cleaning, as (label, property owner, key), for a layout's prop(). mesh: name of the current mesh,
    empty if there is none. faces: its number of faces. density: how fine the photos are on the mesh; texture: size and
    tiles of its texture. edited: whether points were deleted from the cloud."""

    cleaning: bpy.types.Modifier | None
    inputs: tuple[tuple[str, Any, str], ...]
    analyzed: bool
    box: bool
    mesh: str
    faces: int
    density: Density | None
    texture: tuple[int, int]
    edited: bool


def _inputs(cleaning: bpy.types.Modifier) -> Iterator[tuple[str, Any, str]]:
    for item in clean_modifier.INPUTS.values():
        yield item.label, *input_property(cleaning, item.identifier)


def asset_state(scene: bpy.types.Scene) -> AssetState:
    """The state of the current import. UserError if there is none."""
    collection = current_import(scene)
    parts = parts_by_kind(collection)  # once: panels are drawn often, and there may be thousands of cameras
    cloud = next(iter(parts.get(CLOUD, ())), None)
    cleaning = clean_modifier.find_cleaning(cloud) if cloud is not None else None
    inputs = () if cleaning is None else tuple(_inputs(cleaning))
    surfaces = [obj for kind in SURFACES for obj in parts.get(kind, ())]
    active = bpy.context.view_layer.objects.active
    shown = [obj for obj in surfaces if not is_hidden(obj)] or surfaces
    chosen = active if active in shown else shown[-1] if shown else None
    return AssetState(
        cleaning,
        inputs,
        cloud is not None and clean_modifier.is_analyzed(cloud.data),
        BOX in parts,
        chosen.name if chosen else "",
        len(chosen.data.polygons) if chosen else 0,
        _density_of(next(iter(parts.get(MESH, ())), None)),
        _texture_of(chosen),
        cloud is not None and is_edited(cloud),
    )


def _density_of(mesh: bpy.types.Object | None) -> Density | None:
    stored = mesh.get(KEY) if mesh is not None else None
    if not hasattr(stored, "get") or not stored.get("pixels"):
        return None
    return Density(float(stored.get("pixel", 0)), float(stored.get("pixels", 0)))


def _texture_of(obj: bpy.types.Object | None) -> tuple[int, int]:
    """Side in pixels and number of tiles of our material's texture; USUAL_SIZE without one."""
    materials = [material for material in obj.data.materials if is_ours(material)] if obj else []
    image = color_image(materials[0]) if materials else None
    if image is None or not image.size[0]:
        return USUAL_SIZE, 1
    return int(image.size[0]), len(image.tiles) if image.source == "TILED" else 1
