"""Read and write triangle meshes as binary PLY files. See `ply` for the format's source and for clouds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import FileFormatError
from .atomic_files import atomic_file
from .ply import header_lines, read_vertices
from .regular import open_regular

_INDEX_TYPES = {"int": "<i4", "uint": "<u4", "int32": "<i4", "uint32": "<u4"}
_COUNT_TYPES = {"uchar": "u1", "uint8": "u1", "char": "i1", "int8": "i1", "int": "<i4", "int32": "<i4"}
VERTEX = np.dtype(
    [(name, "<f4") for name in ("x", "y", "z", "nx", "ny", "nz")]
    + [(name, "u1") for name in ("red", "green", "blue")]
)
FACE = np.dtype([("count", "u1"), ("index", "<i4", (3,))])


def read_mesh(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Vertices, a structured array [N] with the file's own properties, and triangles int32 [M, 3].

    Binary little-endian files whose faces, after the vertices, are only lists of three indices, as written by
    `write_mesh`, COLMAP and most programs. Raises FileFormatError for anything else.
    """
    vertices = read_vertices(path)
    with open_regular(path) as file:
        lines: list[str] = []
        while not lines or lines[-1] != "end_header":
            lines.append(file.readline(1024).decode("ascii", "replace").strip())
        count, kind = _face_element(path, [line.split() for line in lines if line])
        start = file.seek(len(vertices) * vertices.dtype.itemsize, 1)
        if not 0 <= count * kind.itemsize <= file.seek(0, 2) - start:
            raise FileFormatError(path, f"it is cut short and ends before its {count} faces do")
        file.seek(start)
        faces = np.fromfile(file, kind, count)
    if count and not (faces["count"] == 3).all():
        raise FileFormatError(path, "it has faces that are not triangles")
    triangles = faces["index"].astype(np.int32)
    if count and not (0 <= triangles.min() and triangles.max() < len(vertices)):
        raise FileFormatError(path, "its faces name vertices that it does not have")
    return vertices, triangles


def _face_element(path: Path, words: list[list[str]]) -> tuple[int, np.dtype]:
    """The number of faces and the layout of one; vertices are known to be well formed."""
    if ["format", "binary_little_endian", "1.0"] not in words:
        raise FileFormatError(path, "its faces are not binary and little-endian")
    elements = [(number, line) for number, line in enumerate(words) if line[0] == "element"]
    if [line[1] for _, line in elements[:2]] != ["vertex", "face"]:
        raise FileFormatError(path, "it has no faces after its vertices")
    start, face = elements[1]
    end = elements[2][0] if len(elements) > 2 else len(words)
    properties = [line for line in words[start + 1 : end] if line[0] == "property"]
    if len(properties) != 1 or len(properties[0]) != 5 or properties[0][1] != "list":
        raise FileFormatError(path, "its faces are not only lists of vertices")
    count, index = properties[0][2], properties[0][3]
    if count not in _COUNT_TYPES or index not in _INDEX_TYPES:
        raise FileFormatError(path, "its faces have an unknown type")
    return int(face[2]), np.dtype([("count", _COUNT_TYPES[count]), ("index", _INDEX_TYPES[index], (3,))])


def write_mesh(path: Path, vertices: np.ndarray, faces: np.ndarray) -> None:
    """Write vertices, a structured array [N] of scalars, and triangles [M, 3], atomically."""
    lines, packed = header_lines(vertices)
    lines += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    table = np.empty(len(faces), FACE)
    table["count"] = 3
    table["index"] = faces
    with atomic_file(path) as part, open(part, "wb") as file:
        file.write(("\n".join(lines) + "\n").encode("ascii"))
        vertices.astype(packed, copy=False).tofile(file)
        table.tofile(file)
