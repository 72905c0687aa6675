"""Meshes and textures for synthetic workspaces, in the format of the engine's stages mesh and texture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from blender_recon3d.pipeline.files.ply_mesh import write_mesh
from tests.support.made_workspaces import png

_PLAIN = [(n, "<f4") for n in ("x", "y", "z", "nx", "ny", "nz")] + [
    (n, "u1") for n in ("red", "green", "blue")
]
_TEXTURED = [*_PLAIN, ("s", "<f4"), ("t", "<f4"), ("source", "<i4")]


def dome(steps: int = 12, bump: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """The upper half of a unit sphere, open below, y down as in COLMAP's frame: vertices [n, 3] and triangles [m, 3].

    bump: height of waves on it.
    """
    ring = 2 * steps
    xyz, faces = [(0.0, -1.0 - bump, 0.0)], []
    for i in range(1, steps + 1):
        polar = np.pi / 2 * i / steps
        for j in range(ring):
            around = 2 * np.pi * j / ring
            radius = 1 + bump * np.cos(6 * around) * np.sin(2 * polar)
            direction = (np.sin(polar) * np.cos(around), -np.cos(polar), np.sin(polar) * np.sin(around))
            xyz.append(tuple(radius * value for value in direction))
    for j in range(ring):
        after = (j + 1) % ring
        faces.append((0, 1 + j, 1 + after))
        for i in range(steps - 1):
            a, b = 1 + i * ring, 1 + (i + 1) * ring
            faces += [(a + j, b + j, b + after), (a + j, b + after, a + after)]
    return np.array(xyz), np.array(faces, np.int32)


def plane_with_hole() -> tuple[np.ndarray, np.ndarray]:
    """A square of 8 triangles around a hole."""
    outer = [(-2, 0, -2), (2, 0, -2), (2, 0, 2), (-2, 0, 2)]
    inner = [(x / 2, y, z / 2) for x, y, z in outer]
    faces = []
    for k in range(4):
        n = (k + 1) % 4
        faces += [(k, n, 4 + n), (k, 4 + n, 4 + k)]
    return np.array([*outer, *inner], float), np.array(faces, np.int32)


def table(xyz: np.ndarray, dtype: list, rgb: np.ndarray | None = None) -> np.ndarray:
    vertices = np.zeros(len(xyz), dtype)
    for i, name in enumerate("xyz"):
        vertices[name] = xyz[:, i]
        vertices["n" + name] = xyz[:, i]
    colors = colors_of(xyz) if rgb is None else rgb
    for i, name in enumerate(("red", "green", "blue")):
        vertices[name] = colors[:, i]
    return vertices


def colors_of(xyz: np.ndarray) -> np.ndarray:
    """A color for each position, uint8 [n, 3]."""
    return np.clip((xyz + 1.5) * 80, 0, 255).astype(np.uint8)


def write_mesh_files(root: Path, mesh: tuple, full: tuple | None = None, texture: int = 0) -> Path:
    """mesh/mesh.ply, mesh/full.ply, and with a texture of that many pixels texture/mesh.ply and texture.png."""
    xyz, faces = mesh
    write_mesh(root / "mesh" / "mesh.ply", table(xyz, _PLAIN), faces)
    write_mesh(root / "mesh" / "full.ply", *(lambda x, f: (table(x, _PLAIN), f))(*(full or mesh)))
    if texture:
        write_texture(root, xyz, faces, texture)
    return root


def write_texture(root: Path, xyz: np.ndarray, faces: np.ndarray, size: int) -> None:
    """UVs from above, every vertex a copy for each of its faces; left half of the picture red, right half green."""
    source = faces.ravel()
    vertices = np.zeros(len(source), _TEXTURED)
    plain = table(xyz[source], _PLAIN)
    for name in plain.dtype.names:
        vertices[name] = plain[name]
    low, high = xyz[:, [0, 2]].min(axis=0), xyz[:, [0, 2]].max(axis=0)
    uv = (xyz[source][:, [0, 2]] - low) / (high - low)
    vertices["s"], vertices["t"], vertices["source"] = uv[:, 0], uv[:, 1], source
    write_mesh(root / "texture" / "mesh.ply", vertices, np.arange(len(source), dtype=np.int32).reshape(-1, 3))
    pixels = np.zeros((size, size, 3), np.uint8)
    pixels[:, : size // 2, 0], pixels[:, size // 2 :, 1] = 255, 255
    (root / "texture" / "texture.png").write_bytes(png(pixels))
