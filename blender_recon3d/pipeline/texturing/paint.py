"""From a mesh and photos to UVs and a texture. See the package's list of modules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..events import Progress
from .blend import blend
from .choice import fineness, weights
from .exposure import gains
from .inpaint import picture, vertex_colors
from .samples import sample_views
from .texels import texels_of
from .texture_views import TextureView
from .unwrap import Unwrapped

CONTRAST = 4.0  # see choice.weights

LayOut = Callable[[np.ndarray], Unwrapped]  # from the texels per length on each face, [F]


@dataclass(frozen=True)
class Painted:
    """image uint8 RGB [size, size, 3], or float32, 255 for white; vertex_colors uint8 [V, 3] of the mesh's vertices;
    gains [N, 3] of the photos.

    share_seen: share of texels visible in a photo; fill: share of the texture that is on the mesh.
    """

    unwrapped: Unwrapped
    image: np.ndarray
    vertex_colors: np.ndarray
    gains: np.ndarray
    share_seen: float
    fill: float


def paint(
    vertices: np.ndarray,
    normals: np.ndarray,
    faces: np.ndarray,
    given: np.ndarray,
    views: list[TextureView],
    size: int,
    lay_out: LayOut,
    progress: Progress,
    deep: bool = False,
) -> Painted:
    """Texture triangles [F, 3] over vertices [V, 3] with unit normals [V, 3], in the model's frame.

    given [V, 3]: colors in 0..255 for areas not visible in any photo. lay_out: computes the mesh's UVs. deep: in
    floats, from originals of more than 8 bits.
    Memory beyond the mesh and one photo: 40 bytes per vertex and photo, and 30 bytes per texel.
    """
    samples = sample_views(views, vertices, normals, faces, progress)
    progress.update(len(views), 2 * len(views), "unwrapping")
    unwrapped = lay_out(fineness(samples, faces))
    texels = texels_of(unwrapped, size)
    gain = gains(samples)
    weight = weights(samples, gain, faces, CONTRAST)
    behind = vertex_colors(samples, weight, gain, faces, given)
    del samples
    color, trust = blend(views, vertices, faces, texels, weight, gain, progress, deep)
    image = picture(texels, color, trust, behind, faces, np.float32 if deep else np.uint8)
    seen = float((trust > 0).mean()) if len(texels) else 0.0
    rounded = np.clip(np.rint(behind), 0, 255).astype(np.uint8)
    return Painted(unwrapped, image, rounded, gain, seen, len(texels) / size**2)
