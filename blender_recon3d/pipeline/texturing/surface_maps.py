"""The normal map of the mesh before decimation, and ambient occlusion as a map, for the UVs of the textured mesh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from .inpaint import spread_outwards
from .tangents import tangents
from .texels import Texels, texels_of
from .textured_mesh import TexturedMesh

COARSER = 2  # times fewer pixels along a side than the texture: meshes have no finer detail than that
CHUNK = 20_000  # faces
NEAREST = 3  # vertices of the detailed mesh, whose normals are interpolated
FLAT = (128, 128, 255)  # the normal of the surface itself


@dataclass(frozen=True)
class Detail:
    """The mesh before decimation, as points [N, 3] with unit normals [N, 3]."""

    tree: cKDTree
    normals: np.ndarray

    @classmethod
    def of(cls, positions: np.ndarray, normals: np.ndarray) -> Detail:
        return cls(cKDTree(positions), normals)

    def normals_at(self, points: np.ndarray, rough: np.ndarray) -> np.ndarray:
        """Unit normals [P, 3] near points [P, 3]: of the side that `rough` [P, 3] faces, or `rough` itself."""
        distance, nearest = self.tree.query(points, min(NEAREST, len(self.normals)), workers=-1)
        distance, nearest = distance.reshape(len(points), -1), nearest.reshape(len(points), -1)
        normals = self.normals[nearest]
        same_side = (normals * rough[:, None]).sum(axis=2) > 0
        weight = same_side / np.maximum(distance, 1e-12)
        mixed = (normals * weight[..., None]).sum(axis=1)
        length = np.linalg.norm(mixed, axis=1, keepdims=True)
        return np.where(length > 0, mixed / np.maximum(length, 1e-30), rough)


def normal_map(mesh: TexturedMesh, detail: Detail, size: int, tile: int = 0) -> np.ndarray:
    """Tangent-space normals, uint8 RGB [size, size, 3], green upward as in glTF and Blender."""
    along = tangents(mesh.positions, mesh.normals, mesh.uv, mesh.faces)
    corners = np.concatenate([mesh.positions, mesh.normals, along], axis=1)[mesh.faces]
    texels = texels_of(mesh.uv, mesh.faces, size, tile)

    def color(values: np.ndarray) -> np.ndarray:
        normal = _unit(values[:, 3:6])
        tangent = _unit(values[:, 6:9] - (values[:, 6:9] * normal).sum(axis=1, keepdims=True) * normal)
        bitangent = np.cross(normal, tangent) * np.sign(values[:, 9:])
        detailed = detail.normals_at(values[:, :3], normal)
        inside = np.stack([(detailed * axis).sum(axis=1) for axis in (tangent, bitangent, normal)], axis=1)
        return inside * 127.5 + 127.5

    return _drawn(texels, corners, color, np.full((size, size, 3), FLAT, np.uint8))


def occlusion_map(mesh: TexturedMesh, light: np.ndarray, size: int, tile: int = 0) -> np.ndarray:
    """uint8 [size, size], linear, 255 where all light arrives; light [V] of the mesh's vertices, 0..1."""
    texels = texels_of(mesh.uv, mesh.faces, size, tile)
    corners = light[mesh.faces][..., None]
    return _drawn(texels, corners, lambda values: values[:, 0] * 255, np.full((size, size), 255, np.uint8))


def _drawn(
    texels: Texels, corners: np.ndarray, color: Callable[[np.ndarray], np.ndarray], image: np.ndarray
) -> np.ndarray:
    """The image with the texels' colors, from the values [F, 3, C] at the faces' corners."""
    empty = np.ones(image.shape[:2], np.uint8)
    every = np.arange(len(corners))
    for part in np.split(every, np.arange(CHUNK, len(every), CHUNK)):
        own, which = texels.of_faces(part)
        if len(own):
            place = texels.row[own], texels.column[own]
            values = color(texels.interpolate(corners[part].astype(np.float64), part, own, which))
            image[place] = np.clip(np.rint(values), 0, 255)
            empty[place] = 0
    return spread_outwards(image, empty)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
