"""From a mesh and photos to UVs and a texture. See the package's list of modules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..events import Progress
from .blend import blend
from .choice import fineness, weights
from .delight import light_on, without_light
from .exposure import gains
from .inpaint import SURE, filled, picture, vertex_colors
from .samples import sample_views
from .texels import texels_of
from .texture_views import TextureView
from .unwrap import Unwrapped

CONTRAST = 4.0  # see choice.weights

LayOut = Callable[[np.ndarray], Unwrapped]  # from the texels per length on each face, [F]


@dataclass(frozen=True)
class Delight:
    """strength: 0 to 1; open_share [V]: of the vertices, see `ambient_occlusion`."""

    strength: float
    open_share: np.ndarray


@dataclass(frozen=True)
class Tile:
    """image uint8 RGB [size, size, 3], or float32, 255 for white; filled uint8 [size, size]: 255 where no photo shows
    the mesh well, and the color comes from its surroundings."""

    image: np.ndarray
    filled: np.ndarray


@dataclass(frozen=True)
class Painted:
    """tiles: of the texture; vertex_colors uint8 [V, 3] of the mesh's vertices; gains [N, 3] of the photos.

    share_seen: share of texels visible in a photo; fill: share of the texture that is on the mesh.
    """

    unwrapped: Unwrapped
    tiles: tuple[Tile, ...]
    vertex_colors: np.ndarray
    gains: np.ndarray
    share_seen: float
    fill: float


def paint(
    vertices: np.ndarray,
    normals: np.ndarray,
    faces: np.ndarray,
    colors: np.ndarray,
    views: list[TextureView],
    size: int,
    lay_out: LayOut,
    progress: Progress,
    deep: bool = False,
    delight: Delight | None = None,
) -> Painted:
    """Texture triangles [F, 3] over vertices [V, 3] with unit normals [V, 3], in the model's frame.

    colors [V, 3]: in 0..255, for areas not visible in any photo. lay_out: computes the mesh's UVs. deep: in
    floats, from originals of more than 8 bits. delight: takes the light out.
    Memory beyond the mesh and one photo: 15 bytes per vertex and photo, and 30 bytes per texel of a tile.
    """
    samples = sample_views(views, vertices, normals, faces, progress)
    progress.update(len(views), 2 * len(views), "unwrapping")
    unwrapped = lay_out(fineness(samples, faces))
    gain = gains(samples)
    weight = weights(samples, gain, faces, CONTRAST)
    behind = vertex_colors(samples, weight, gain, faces, colors)
    light = None
    if delight is not None:
        light = light_on(behind, normals, delight.open_share, samples.trust.max(axis=1) >= SURE)
    strength = delight.strength if delight is not None else 0.0
    del samples
    kind = np.float32 if deep else np.uint8
    tiles, count, seen = [], 0, 0
    for tile in range(unwrapped.tiles):
        texels = texels_of(unwrapped.uv, unwrapped.faces, size, tile)
        color, trust = blend(
            views, vertices, faces, texels, weight, gain, progress, deep, tile, unwrapped.tiles
        )
        image = picture(texels, color, trust, behind, faces, kind, light, strength)
        tiles.append(Tile(image, filled(texels, trust)))
        count += len(texels)
        seen += int((trust > 0).sum())
    if light is not None:
        behind = without_light(behind, light, strength)
    rounded = np.clip(np.rint(behind), 0, 255).astype(np.uint8)
    fill = count / (unwrapped.tiles * size**2)
    return Painted(unwrapped, tuple(tiles), rounded, gain, seen / max(1, count), fill)
