"""Read meshes with UVs from Wavefront OBJ files, as written by Blender and other programs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import FileFormatError
from .regular import open_regular


@dataclass(frozen=True)
class ObjMesh:
    """vertices float64 [V, 3]; triangles int32 [F, 3], with polygons split into fans; uv float32 [F, 3, 2] of their
    corners, v upward, or None if any face has none."""

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray | None


def read_obj(path: Path) -> ObjMesh:
    """The triangles of an OBJ file, merging objects, groups and materials. FileFormatError if it is invalid."""
    places: list[bytes] = []
    layouts: list[bytes] = []
    corners: list[tuple[int, int]] = []
    at = 0
    try:
        with open_regular(path) as file:
            for at, line in enumerate(file, 1):  # noqa: B007  named in an error
                if line.startswith(b"v "):
                    places += line.split()[1:4]
                elif line.startswith(b"vt "):
                    layouts += line.split()[1:3]
                elif line.startswith(b"f "):
                    corners += _fan(line, len(places) // 3, len(layouts) // 2)
        vertices = np.array(places, np.float64).reshape(-1, 3)
        uvs = np.array(layouts, np.float32).reshape(-1, 2)
    except ValueError as error:
        raise FileFormatError(path, f"line {at} cannot be read") from error
    index = np.array(corners, np.int64).reshape(-1, 3, 2)
    if not len(index):
        raise FileFormatError(path, "it has no faces")
    faces, layout = index[..., 0], index[..., 1]
    if faces.min() < 0 or faces.max() >= len(vertices) or layout.max() >= len(uvs):
        raise FileFormatError(path, "its faces name vertices that it does not have")
    if not np.isfinite(vertices).all():
        raise FileFormatError(path, "it has a vertex with non-finite coordinates")
    return ObjMesh(vertices, faces.astype(np.int32), uvs[layout] if layout.min() >= 0 else None)


def _fan(line: bytes, vertices: int, uvs: int) -> list[tuple[int, int]]:
    """The corners (vertex, UV or -1), counted from 0, of a face's triangles; negative numbers count from the end."""
    ring = []
    for word in line.split()[1:]:
        parts = word.split(b"/")
        vertex, uv = int(parts[0]), int(parts[1]) if len(parts) > 1 and parts[1] else 0
        ring.append(
            (vertex - 1 if vertex > 0 else vertices + vertex, uv - 1 if uv > 0 else uvs + uv if uv else -1)
        )
    return [corner for k in range(1, len(ring) - 1) for corner in (ring[0], ring[k], ring[k + 1])]
