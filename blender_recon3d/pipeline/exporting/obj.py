"""Wavefront OBJ with its MTL: text that every program reads."""

from __future__ import annotations

import os
import re
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class ObjMaterial:
    """The names of a tile's images, in the OBJ's folder; empty: none."""

    color: str
    normal: str = ""


def write_obj(path: Path, mesh: TexturedMesh, materials: Sequence[ObjMaterial], frame: str) -> None:
    """Write PATH and, beside it, its MTL, with a material for each tile; `beside` gives their names.

    Vertices are written once, even if they are in several charts. frame: a comment on the coordinates.
    """
    first, welded = mesh.welded()
    material = beside(path, ".mtl")
    names = [f"photos{f'_{tile + 1}' if tile else ''}" for tile in range(len(materials))]
    with atomic_file(material) as part:
        lines = "".join(_material(name, maps) for name, maps in zip(names, materials, strict=True))
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
        tile = mesh.tile_of_faces()
        uv = mesh.uv.astype(np.float64)
        for number in range(1, len(materials)):
            uv[np.unique(mesh.faces[tile == number]), 0] -= number
        for begin in range(0, len(uv), CHUNK):
            file.write(_lines("vt %.6f %.6f\n", uv[begin : begin + CHUNK]))
        for begin in range(0, len(first), CHUNK):
            file.write(_lines("vn %.4f %.4f %.4f\n", mesh.normals[first[begin : begin + CHUNK]]))
        corners = np.stack([welded, mesh.faces, welded], axis=2).reshape(-1, 9) + 1
        for number, name in enumerate(names):
            file.write(f"usemtl {name}\ns 1\n")
            own = corners[tile == number]
            for begin in range(0, len(own), CHUNK):
                file.write(_lines("f %d/%d/%d %d/%d/%d %d/%d/%d\n", own[begin : begin + CHUNK]))


def _material(name: str, maps: ObjMaterial) -> str:
    """Lines of the MTL. `norm` is OBJ's extension for normal maps: map_Bump is for heights."""
    lines = [f"newmtl {name}", "Ka 0 0 0", "Kd 1 1 1", "Ks 0 0 0", "illum 1", f"map_Kd {maps.color}"]
    lines += [f"norm {maps.normal}"] * bool(maps.normal)
    return "".join(f"{line}\n" for line in lines)


def _lines(pattern: str, values: np.ndarray) -> str:
    return (pattern * len(values)) % tuple(values.ravel().tolist())
