"""Wavefront OBJ with its MTL: text that every program reads."""

from __future__ import annotations

import os
import re
import unicodedata
import zlib
from pathlib import Path

import numpy as np

from ..files.atomic_files import atomic_file
from ..texturing.textured_mesh import TexturedMesh

CHUNK = 50_000  # lines formatted at once


def beside(path: Path, ending: str) -> Path:
    """A file belonging to PATH, with its name in ASCII without spaces: programs read names in an OBJ as UTF-8 or in the
    system's encoding, some only up to the first space, and otherwise do not find the texture. A number makes names
    unique that differ only in accents."""
    name = path.stem
    if re.fullmatch(r"[\w.+-]+", name, re.ASCII):
        return path.with_name(name + ending)
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^\w.+-]+", "_", plain, flags=re.ASCII).strip("_") or "mesh"
    number = zlib.crc32(os.fsencode(name)) & 0xFFFF
    return path.with_name(f"{plain}-{number:04x}{ending}")


def write_obj(path: Path, mesh: TexturedMesh, image: str, frame: str) -> None:
    """Write PATH and, beside it, its MTL, which refers to `image` in the same folder; `beside` gives their names.

    Vertices are written once, even if they are in several charts. frame: a comment on the coordinates.
    """
    first, welded = mesh.welded()
    material = beside(path, ".mtl")
    with atomic_file(material) as part:
        lines = f"newmtl photos\nKa 0 0 0\nKd 1 1 1\nKs 0 0 0\nillum 1\nmap_Kd {image}\n"
        part.write_bytes(lines.encode("utf-8", "surrogateescape"))
    # The object's name may not be UTF-8: it is written as raw bytes.
    with (
        atomic_file(path) as part,
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
