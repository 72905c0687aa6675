"""The meshes in a workspace, as arrays. numpy only.

mesh/mesh.ply is the mesh, mesh/full.ply the mesh before decimation, and texture/mesh.ply the mesh with UVs (`s`, `t`; a
vertex appears once for each chart, `source` is its index in mesh/mesh.ply) with the texture and its maps beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...pipeline.errors import FileFormatError, UserError
from ...pipeline.files import json_values
from ...pipeline.files.ply_mesh import read_mesh
from ...pipeline.files.regular import read_regular
from ...pipeline.files.texture_files import COLOR, LIGHT, NORMAL, OCCLUSION, PNG, tile_files
from ...pipeline.results import has
from ...pipeline.texel_density import Density
from ...pipeline.text import Said
from ...pipeline.workspace import Workspace
from .ply_points import NOTHING, to_points

MESH, FULL, TEXTURED, DETAIL = "mesh/mesh.ply", "mesh/full.ply", "texture/mesh.ply", "mesh/mesh.json"
TEXTURE_FOLDER = "texture"
_ENDINGS = (LIGHT, PNG, ".jpg", ".jpeg")


@dataclass(frozen=True)
class Surface:
    """Triangles in the model's frame.

    xyz: float32 [n, 3]. faces: int32 [m, 3]. rgb: uint8 [n, 3], sRGB, or None. uv: float32 [m, 3, 2], v upwards, or
    None. texture, normal, occlusion: the images for these UVs, or None; of several tiles (UDIM) the first.
    density: how fine the photos are on the surface, or None. notes: sentences for the user.
    """

    xyz: np.ndarray
    faces: np.ndarray
    rgb: np.ndarray | None = None
    uv: np.ndarray | None = None
    texture: Path | None = None
    normal: Path | None = None
    occlusion: Path | None = None
    density: Density | None = None
    notes: tuple[str, ...] = ()


def has_mesh(root: Path) -> bool:
    """Whether the workspace has a finished, current mesh; UserError if it was damaged."""
    return has(Workspace(root), "mesh", root / MESH)


def read_surface(root: Path, offset: Sequence[float] = NOTHING) -> Surface:
    """A workspace's mesh, with its texture if there is one for this mesh. Raises UserError if there is no mesh."""
    if not has_mesh(root):
        raise UserError(f"{root} has no mesh (no {MESH}): press Build Mesh first.")
    surface = replace(_read(root / MESH, offset), density=_density(root / DETAIL))
    try:
        if not has(Workspace(root), "texture", root / TEXTURED):
            return surface
    except UserError as error:
        return _with_note(surface, str(error))
    image = _image(root, COLOR, *_ENDINGS)
    try:
        uv = _read_uv(root / TEXTURED, surface)
    except FileFormatError as error:
        return _with_note(surface, str(error))
    if uv is None:
        return _with_note(
            surface, Said("The texture belongs to an earlier mesh: press Build Mesh to make it again.")
        )
    if image is None:
        return _with_note(surface, Said("The texture's image is missing: press Build Mesh to make it again."))
    normal, occlusion = _image(root, NORMAL), _image(root, OCCLUSION)
    return replace(surface, uv=uv, texture=image, normal=normal, occlusion=occlusion)


def _density(path: Path) -> Density | None:
    """From mesh.json; None in results of earlier versions, or if it is damaged."""
    try:
        raw = json_values.mapping(json_values.parse(read_regular(path, json_values.MAX_BYTES)))
        detail = json_values.mapping(raw["photo_detail"])
        return Density(*(float(json_values.numbers([detail[key]], 1)[0]) for key in ("pixel", "pixels")))
    except (OSError, ValueError, KeyError):
        return None


def _image(root: Path, name: str, *endings: str) -> Path | None:
    """The texture's image of this name, or its first tile."""
    files = (tile_files(root / TEXTURE_FOLDER, name, ending)[0] for ending in endings or (PNG,))
    return next((path for path in files if path.is_file()), None)


def read_full(root: Path, offset: Sequence[float] = NOTHING) -> Surface:
    """The mesh before decimation. Raises UserError if there is none."""
    if not has(Workspace(root), "mesh", root / FULL):
        raise UserError(f"{root} has no full mesh (no {FULL}): press Build Mesh first.")
    return _read(root / FULL, offset)


def _with_note(surface: Surface, note: str) -> Surface:
    return replace(surface, notes=(*surface.notes, note))


def _read(path: Path, offset: Sequence[float]) -> Surface:
    vertices, faces = read_mesh(path)
    points = to_points(path, vertices, offset)
    notes = (
        ()
        if len(faces)
        else (Said("{path} has no faces: set Region to All and press Build Mesh again.", path=path),)
    )
    return Surface(points.xyz, _sound(points.xyz, faces)[0], points.rgb, notes=notes)


def _sound(xyz: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The faces with three different, finite vertices, since Blender accepts no others, and their indices."""
    a, b, c = faces.T
    keep = (a != b) & (b != c) & (c != a)
    if not np.isfinite(xyz.sum(dtype=np.float64)):
        keep &= np.isfinite(xyz).all(axis=1)[faces].all(axis=1)
    return (faces, keep) if keep.all() else (faces[keep], keep)


def _read_uv(path: Path, surface: Surface) -> np.ndarray | None:
    """UVs [m, 3, 2] of the corners of the surface's faces; None if the file is of another mesh."""
    vertices, faces = read_mesh(path)
    if not {"s", "t", "source"} <= set(vertices.dtype.names or ()):
        raise FileFormatError(path, "it has no UVs (s, t) or no vertex indices (source)")
    source = vertices["source"].astype(np.int64)
    if len(source) and not (0 <= source.min() and source.max() < len(surface.xyz)):
        return None
    faces = faces[_sound(surface.xyz, source[faces].astype(np.int32))[1]]
    if not np.array_equal(source[faces], surface.faces):
        return None
    uv = np.stack([vertices["s"], vertices["t"]], axis=1).astype(np.float32)
    return np.nan_to_num(uv)[faces]
