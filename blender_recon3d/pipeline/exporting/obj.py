"""Wavefront OBJ with its MTL: text that every program reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..files.whole_files import whole_file
from ..texturing.textured_mesh import TexturedMesh

CHUNK = 50_000  # lines made at once


def write_obj(path: Path, mesh: TexturedMesh, image: str, frame: str) -> None:
    """Write PATH and, beside it, the MTL of the same name, which names `image`, a file beside them.

    Vertices are written once, however many charts they are in. frame: a line about the coordinates.
    """
    first, welded = mesh.welded()
    material = path.with_suffix(".mtl")
    with whole_file(material) as part:
        lines = f"newmtl photos\nKa 0 0 0\nKd 1 1 1\nKs 0 0 0\nillum 1\nmap_Kd {image}\n"
        part.write_bytes(lines.encode("utf-8", "surrogateescape"))
    # A name that is not UTF-8 is written as the bytes that it is, so that readers find the file.
    with (
        whole_file(path) as part,
        open(part, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as file,
    ):
        file.write(f"# Recon3D, {frame}\nmtllib {material.name}\no {path.stem}\n")
        for begin in range(0, len(first), CHUNK):
            some = first[begin : begin + CHUNK]
            file.write(_lines("v %.7g %.7g %.7g\n", mesh.positions[some]))
        for begin in range(0, len(mesh.uv), CHUNK):
            file.write(_lines("vt %.6f %.6f\n", mesh.uv[begin : begin + CHUNK]))
        for begin in range(0, len(first), CHUNK):
            file.write(_lines("vn %.4f %.4f %.4f\n", mesh.normals[first[begin : begin + CHUNK]]))
        file.write("usemtl photos\ns 1\n")
        corners = np.stack([welded, mesh.faces, welded], axis=2).reshape(-1, 9) + 1
        for begin in range(0, len(corners), CHUNK):
            file.write(_lines("f %d/%d/%d %d/%d/%d %d/%d/%d\n", corners[begin : begin + CHUNK]))


def _lines(pattern: str, values: np.ndarray) -> str:
    return (pattern * len(values)) % tuple(values.ravel().tolist())
