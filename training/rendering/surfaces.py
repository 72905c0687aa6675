"""Surfaces of triangles: scans from OBJ files, and bumpy sheets covered with photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .textures import pyramid


@dataclass
class Surface:
    """vertices and normals: float32 [V, 3]; faces: int [F, 3], counterclockwise from outside; uv: float32 [F, 3, 2] at
    the corners, v upwards; texture: int [F], its index."""

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    texture: np.ndarray


@dataclass
class Scan:
    """A scanned object: standing on z = 0, in meters; its only texture has index 0, with all mipmap levels."""

    name: str
    surface: Surface
    pyramid: list[np.ndarray]


def load_scan(folder: Path) -> Scan:
    """Reads a folder with textured.obj and texture_map.png, centered over the origin."""
    vertices: list[list[float]] = []
    coordinates: list[list[float]] = []
    corners: list[list[int]] = []
    with open(folder / "textured.obj", encoding="utf-8") as file:
        for line in file:
            kind, *values = line.split() or [""]
            if kind == "v":
                vertices.append([float(value) for value in values[:3]])
            elif kind == "vt":
                coordinates.append([float(value) for value in values[:2]])
            elif kind == "f":
                corners.append([int(part) - 1 for value in values for part in value.split("/")[:2]])
    points = np.array(vertices, np.float32)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    points -= np.array([middle[0], middle[1], points[:, 2].min()], np.float32)
    indices = np.array(corners).reshape(-1, 3, 2)
    faces = indices[..., 0]
    image = cv2.imread(str(folder / "texture_map.png"))
    if image is None:
        raise FileNotFoundError(f"{folder} holds no texture_map.png")
    uv = np.array(coordinates, np.float32)[indices[..., 1]]
    surface = Surface(points, vertex_normals(points, faces), faces, uv, np.zeros(len(faces), np.int64))
    return Scan(folder.name, surface, pyramid(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)))


def load_scans(data: Path) -> list[Scan]:
    """All scans in DATA/train/meshes, by name."""
    return [load_scan(folder) for folder in sorted((data / "train" / "meshes").iterdir()) if folder.is_dir()]


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Normals [V, 3] of length 1, area-weighted means over the adjacent triangles."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, faces[:, corner], np.cross(b - a, c - a))
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def sheet(
    heights: np.ndarray, origin: np.ndarray, right: np.ndarray, up: np.ndarray, tiles: Sequence[Sequence[int]]
) -> Surface:
    """A relief over a rectangle, seen from the side of right x up, covered with a patchwork of photos.

    heights: [R, C], rows upwards, along the normal; origin: the lower left corner; right, up: the rectangle's sides;
    tiles: indices of textures, rows upwards; each covers its tile once.
    """
    rows, columns = heights.shape
    s, t = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    normal = np.cross(right, up)
    normal /= np.linalg.norm(normal)
    vertices = origin + s[..., None] * right + t[..., None] * up + heights[..., None] * normal
    vertices = vertices.reshape(-1, 3).astype(np.float32)
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij")
    corner = (r * columns + c).ravel()
    faces = np.concatenate(
        [
            np.stack([corner, corner + 1, corner + columns + 1], axis=1),
            np.stack([corner, corner + columns + 1, corner + columns], axis=1),
        ]
    )
    table = np.asarray(tiles)
    across = np.minimum(c.ravel() * table.shape[1] // (columns - 1), table.shape[1] - 1)
    along = np.minimum(r.ravel() * table.shape[0] // (rows - 1), table.shape[0] - 1)
    tile = np.tile(np.stack([across, along], axis=1), (2, 1))
    place = np.stack([s.ravel(), t.ravel()], axis=1)[faces] * table.shape[::-1]
    uv = (place - tile[:, None]).astype(np.float32)
    texture = table[tile[:, 1], tile[:, 0]]
    return Surface(vertices, vertex_normals(vertices, faces), faces, uv, texture)


def place(surface: Surface, scale: float, turn: float, position: np.ndarray, texture: int) -> Surface:
    """A surface scaled, rotated around z by `turn` radians, moved, with its texture indices offset by `texture`."""
    cosine, sine = np.cos(turn), np.sin(turn)
    rotation = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]], np.float32)
    vertices = (scale * surface.vertices @ rotation.T + position).astype(np.float32)
    return Surface(
        vertices, surface.normals @ rotation.T, surface.faces, surface.uv, surface.texture + texture
    )


def merge(surfaces: Sequence[Surface]) -> Surface:
    """One surface of many."""
    starts = np.cumsum([0] + [len(surface.vertices) for surface in surfaces[:-1]])
    return Surface(
        np.concatenate([surface.vertices for surface in surfaces]),
        np.concatenate([surface.normals for surface in surfaces]),
        np.concatenate([surface.faces + start for surface, start in zip(surfaces, starts, strict=True)]),
        np.concatenate([surface.uv for surface in surfaces]),
        np.concatenate([surface.texture for surface in surfaces]),
    )
