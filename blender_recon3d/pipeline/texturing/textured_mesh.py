"""A textured mesh as a file: texture/mesh.ply next to texture/texture.png, read by exports and by Blender."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import FileFormatError
from ..files.ply import columns
from ..files.ply_mesh import VERTEX, read_mesh, write_mesh

TEXTURED_VERTEX = np.dtype([*VERTEX.descr, ("s", "<f4"), ("t", "<f4"), ("source", "<i4")])


@dataclass(frozen=True)
class TexturedMesh:
    """Vertices are repeated for each of their charts.

    positions, normals [V, 3]; colors uint8 [V, 3], sRGB, the mean of the photos; uv [V, 2] in 0..1, v upwards; source
    [V]: the vertex in mesh/mesh.ply of which each is a copy; faces [F, 3], in the order of mesh/mesh.ply.
    """

    positions: np.ndarray
    normals: np.ndarray
    colors: np.ndarray
    uv: np.ndarray
    source: np.ndarray
    faces: np.ndarray

    @property
    def tiles(self) -> int:
        """The number of the texture's tiles, in a row along u."""
        return max(1, int(np.ceil(float(self.uv[:, 0].max(initial=1.0)) - 1e-5)))

    def tile_of_faces(self) -> np.ndarray:
        """The tile of each face, int64 [F]."""
        middle = self.uv[self.faces, 0].mean(axis=1, dtype=np.float64)
        return np.clip(np.floor(middle), 0, self.tiles - 1).astype(np.int64)

    def parts(self) -> list[TexturedMesh]:
        """For each tile the faces that are in it, with u in 0..1 and without other vertices."""
        if self.tiles == 1:
            return [self]
        tile = self.tile_of_faces()
        return [self._part(self.faces[tile == number], number) for number in range(self.tiles)]

    def _part(self, faces: np.ndarray, tile: int) -> TexturedMesh:
        own, local = np.unique(faces, return_inverse=True)
        return TexturedMesh(
            self.positions[own],
            self.normals[own],
            self.colors[own],
            self.uv[own] - np.array([tile, 0], self.uv.dtype),
            self.source[own],
            local.reshape(-1, 3).astype(np.int32),
        )

    def moved(self, transform: np.ndarray) -> TexturedMesh:
        """The mesh after a similarity [4, 4]."""
        scale = np.cbrt(np.linalg.det(transform[:3, :3]))
        return TexturedMesh(
            self.positions @ transform[:3, :3].T + transform[:3, 3],
            self.normals @ (transform[:3, :3] / scale).T,
            self.colors,
            self.uv,
            self.source,
            self.faces,
        )

    def welded(self) -> tuple[np.ndarray, np.ndarray]:
        """The vertices that are not copies of others, as indices [W], and faces [F, 3] over these."""
        _, first, number = np.unique(self.source, return_index=True, return_inverse=True)
        return first, number.reshape(-1)[self.faces].astype(np.int32)


def write_textured(path: Path, mesh: TexturedMesh) -> None:
    """A binary PLY file with UVs as `s` and `t`, as MeshLab and Blender name them."""
    table = np.empty(len(mesh.positions), TEXTURED_VERTEX)
    for axis, name in enumerate("xyz"):
        table[name], table["n" + name] = mesh.positions[:, axis], mesh.normals[:, axis]
    for channel, name in enumerate(("red", "green", "blue")):
        table[name] = mesh.colors[:, channel]
    table["s"], table["t"], table["source"] = mesh.uv[:, 0], mesh.uv[:, 1], mesh.source
    write_mesh(path, table, mesh.faces)


def read_textured(path: Path) -> TexturedMesh:
    """Read a file of `write_textured`; FileFormatError for anything else."""
    table, faces = read_mesh(path)
    if set(TEXTURED_VERTEX.names or ()) - set(table.dtype.names or ()):
        raise FileFormatError(path, "it is not a mesh of the texture stage")

    def part(*names: str) -> np.ndarray:
        values = columns(table, *names)
        assert values is not None  # all names exist
        return values

    colors = part("red", "green", "blue").astype(np.uint8)
    source = table["source"].astype(np.int32)
    return TexturedMesh(part("x", "y", "z"), part("nx", "ny", "nz"), colors, part("s", "t"), source, faces)
