"""A mesh with its own UVs, from an artist or another program, prepared for painting."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import UserError
from ..files.obj_mesh import read_obj
from ..files.texture_files import MAX_TILES
from .unwrap import Unwrapped

ENDING = ".obj"
# Photos are chosen per vertex: a mesh with fewer triangles is subdivided, for painting only.
ENOUGH_FACES = 50_000
OUTSIDE = 1e-3  # tolerance for corners outside the texture, for rounding


@dataclass(frozen=True)
class GivenMesh:
    """vertices, normals [V, 3] and faces [F, 3], subdivided; unwrapped has their UVs."""

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    unwrapped: Unwrapped


def read_given(path: Path, model_from_file: np.ndarray) -> GivenMesh:
    """An OBJ file's mesh after a similarity [4, 4]. UserError if it cannot be painted."""
    if path.suffix.lower() != ENDING:
        raise UserError(f"{path} is not an OBJ file: export the mesh as OBJ, with UVs.", 2)
    if not path.is_file():
        raise UserError(f"{path} does not exist: give an OBJ file.", 2)
    mesh = read_obj(path)
    if mesh.uv is None:
        raise UserError(f"{path} has faces without UVs: unwrap the mesh, and export it with UVs.", 2)
    tiles = _tiles(mesh.uv, path)
    vertices = mesh.vertices @ model_from_file[:3, :3].T + model_from_file[:3, 3]
    faces, uv = mesh.faces, mesh.uv
    while len(faces) < ENOUGH_FACES:
        vertices, faces, uv = _finer(vertices, faces, uv)
    corners = np.arange(3 * len(faces), dtype=np.int32).reshape(-1, 3)
    unwrapped = Unwrapped(faces.ravel(), corners, uv.reshape(-1, 2), tiles)
    return GivenMesh(vertices, normals_of(vertices, faces), faces, unwrapped)


def _tiles(uv: np.ndarray, path: Path) -> int:
    """The number of tiles, in a row along u as in UDIM, that corners' UVs [F, 3, 2] use; UserError if a face is in none
    of them or in two."""
    tile = np.floor(uv[..., 0].mean(axis=1)).astype(np.int64)
    inside = uv[..., 0] - tile[:, None]
    low, high = min(inside.min(), uv[..., 1].min()), max(inside.max(), uv[..., 1].max())
    if low < -OUTSIDE or high > 1 + OUTSIDE or not 0 <= tile.min() <= tile.max() < MAX_TILES:
        raise UserError(
            f"{path} has UVs outside of 0 to 1, where there is no texture: pack its islands into the first tile, or "
            f"into up to {MAX_TILES} tiles in a row to the right, with no face in two of them.",
            2,
        )
    return int(tile.max()) + 1


def normals_of(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals [V, 3]: area-weighted means of the faces' normals."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    of_face = np.cross(b - a, c - a)
    total = np.stack(
        [np.bincount(faces.ravel(), np.repeat(of_face[:, axis], 3), len(vertices)) for axis in range(3)],
        axis=1,
    )
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-30)


def _finer(
    vertices: np.ndarray, faces: np.ndarray, uv: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each triangle split into four at its edges' midpoints: vertices, faces and corners' UVs [4 F, 3, 2]."""
    edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]], axis=2).reshape(-1, 2)
    unique, number = np.unique(edges, axis=0, return_inverse=True)
    middle = (number.reshape(-1, 3) + len(vertices)).astype(np.int32)
    inside = (uv + np.roll(uv, -1, axis=1)) / 2  # of edges 01, 12, 20
    a, b, c = (faces[:, k] for k in range(3))
    d, e, f = (middle[:, k] for k in range(3))
    pieces = [(a, d, f), (d, b, e), (f, e, c), (d, e, f)]
    corners = dict(
        zip("abcdef", (*(uv[:, k] for k in range(3)), *(inside[:, k] for k in range(3))), strict=True)
    )
    layouts = [np.stack([corners[name] for name in names], axis=1) for names in ("adf", "dbe", "fec", "def")]
    cut = np.concatenate([np.stack(piece, axis=1) for piece in pieces])
    return np.concatenate([vertices, vertices[unique].mean(axis=1)]), cut, np.concatenate(layouts)
