"""Meshopt's compression of a GLB's buffers (EXT_meshopt_compression), by the package meshoptimizer.

https://github.com/KhronosGroup/glTF/blob/main/extensions/2.0/Vendor/EXT_meshopt_compression/README.md
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..system.extra_packages import extra
from ..texturing.textured_mesh import TexturedMesh

NAME = "EXT_meshopt_compression"
ATTRIBUTES, TRIANGLES = "ATTRIBUTES", "TRIANGLES"


class MeshCompression:
    """Compresses vertices and triangles with meshopt. UserError if its package is not installed."""

    def __init__(self) -> None:
        self._package = extra("Meshopt compression", "export it uncompressed", "meshoptimizer")
        self._package.encode_vertex_version(0)  # the version that the extension allows
        self._package.encode_index_version(1)

    def ordered(self, mesh: TexturedMesh) -> TexturedMesh:
        """The mesh with neighboring triangles adjacent and vertices in order of first use, which makes it compressible.
        Unused vertices are removed."""
        corners = np.ascontiguousarray(mesh.faces, np.uint32).ravel()
        near = np.zeros_like(corners)
        self._package.optimize_vertex_cache(near, corners, len(corners), len(mesh.positions))
        old, first = np.unique(near, return_index=True)
        order = old[np.argsort(first)]
        number = np.zeros(len(mesh.positions), np.int32)
        number[order] = np.arange(len(order), dtype=np.int32)
        return replace(
            mesh, positions=mesh.positions[order], normals=mesh.normals[order], colors=mesh.colors[order],
            uv=mesh.uv[order], source=mesh.source[order], faces=number[near].reshape(-1, 3),
        )  # fmt: skip

    def encoded(self, rows: np.ndarray, mode: str) -> bytes:
        """rows: uint8 [N, bytes of a vertex], or uint32 [N] for triangles' corners."""
        if mode == TRIANGLES:
            return bytes(self._package.encode_index_buffer(rows, len(rows), int(rows.max()) + 1))
        return bytes(self._package.encode_vertex_buffer(rows, len(rows), rows.shape[1]))


def fallback(length: int) -> dict[str, Any]:
    """The uncompressed fallback buffer, which is not stored in the file."""
    return {"byteLength": length, "extensions": {NAME: {"fallback": True}}}
