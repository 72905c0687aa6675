"""Read and write vertices of PLY files, with any properties, binary or ASCII.

Turk, "The PLY Polygon File Format", 1994. Only the vertex element is read. Its count is checked against the file's size
before memory is allocated, since files are untrusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from ..errors import FileFormatError
from .atomic_files import atomic_file
from .regular import open_regular

_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4",
    "float": "f4", "double": "f8",
    "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
    "float32": "f4", "float64": "f8",
}  # fmt: skip
_NAMES = {
    "i1": "char", "u1": "uchar", "i2": "short", "u2": "ushort", "i4": "int", "u4": "uint",
    "f4": "float", "f8": "double",
}  # fmt: skip
_ORDERS = {"ascii": "=", "binary_little_endian": "<", "binary_big_endian": ">"}
_LONGEST_HEADER = 1 << 20  # bytes; some programs store a coordinate system or a history there


@dataclass
class _Element:
    name: str
    count: int
    properties: list[tuple[str, str]]  # name, numpy type without byte order
    has_list: bool = False

    def dtype(self, order: str) -> np.dtype:
        return np.dtype([(name, order + kind) for name, kind in self.properties])


def read_vertices(path: Path) -> np.ndarray:
    """The vertex element as a structured array [N] with the file's own properties, names, types and order.

    Raises FileFormatError, which names the file, if it is missing, damaged, or not a PLY file.
    """
    try:
        with open_regular(path) as file:
            return _read(path, file)
    except OSError as error:
        raise FileFormatError(path, error.strerror or "it does not exist") from error


def columns(vertices: np.ndarray, *names: str) -> np.ndarray | None:
    """The named properties as float64 [N, len(names)]; None if one of them is missing."""
    if not set(names) <= set(vertices.dtype.names or ()):
        return None
    return np.stack([vertices[name].astype(np.float64) for name in names], axis=1)


def with_usual_normals(vertices: np.ndarray) -> np.ndarray:
    """A view of a structured array [N] in which normals are nx, ny, nz if they are normal_x, normal_y, normal_z, as the
    Point Cloud Library writes them."""
    names = vertices.dtype.names or ()
    if "nx" in names or not {"normal_x", "normal_y", "normal_z"} <= set(names):
        return vertices
    usual = {f"normal_{axis}": f"n{axis}" for axis in "xyz"}
    return vertices.view([(usual.get(name, name), vertices.dtype[name].str) for name in names])


def with_column(vertices: np.ndarray, name: str, values: np.ndarray) -> np.ndarray:
    """A copy of a structured array [N] with the property `name` appended or replaced."""
    names = [item for item in vertices.dtype.names or () if item != name]
    table = np.empty(len(vertices), [(item, vertices.dtype[item]) for item in names] + [(name, values.dtype)])
    for item in names:
        table[item] = vertices[item]
    table[name] = values
    return table


def write_vertices(path: Path, vertices: np.ndarray) -> None:
    """Write a structured array [N] of scalars as a binary little-endian PLY file, atomically.

    64-bit integers and booleans have no PLY type: ValueError.
    """
    lines, packed = header_lines(vertices)
    with atomic_file(path) as part, open(part, "wb") as file:
        file.write(("\n".join([*lines, "end_header"]) + "\n").encode("ascii"))
        vertices.astype(packed, copy=False).tofile(file)


def header_lines(vertices: np.ndarray) -> tuple[list[str], np.dtype]:
    """The lines of a binary little-endian header up to the vertices' last property, and their packed layout."""
    names = vertices.dtype.names or ()
    kinds = [f"{vertices.dtype[name].kind}{vertices.dtype[name].itemsize}" for name in names]
    unknown = [name for name, kind in zip(names, kinds, strict=True) if kind not in _NAMES]
    if unknown or not names:
        raise ValueError(f"no PLY type for {', '.join(unknown) or 'an array without fields'}")
    lines = ["ply", "format binary_little_endian 1.0", f"element vertex {len(vertices)}"]
    lines += [f"property {_NAMES[kind]} {name}" for name, kind in zip(names, kinds, strict=True)]
    return lines, np.dtype([(name, "<" + kind) for name, kind in zip(names, kinds, strict=True)])


def _read(path: Path, file: IO[bytes]) -> np.ndarray:
    kind, elements = _read_header(path, file)
    number = next((i for i, element in enumerate(elements) if element.name == "vertex"), None)
    if number is None:
        raise FileFormatError(path, "it has no vertices")
    vertex, before = elements[number], elements[:number]
    if vertex.has_list or not vertex.properties or (before and any(item.has_list for item in before)):
        raise FileFormatError(path, "it has lists in or before its vertices, or vertices without properties")
    start = file.tell()
    remaining = file.seek(0, 2) - start
    file.seek(start)
    if kind == "ascii":
        return _read_ascii(path, file, vertex, sum(item.count for item in before), remaining)
    order = _ORDERS[kind]
    skip = sum(item.count * item.dtype(order).itemsize for item in before)
    if skip + vertex.count * vertex.dtype(order).itemsize > remaining:
        raise _cut_short(path, vertex.count)
    file.seek(start + skip)
    # Not memory-mapped: if another program truncated the file, this one would crash.
    vertices = np.fromfile(file, vertex.dtype(order), vertex.count)
    if len(vertices) != vertex.count:
        raise _cut_short(path, vertex.count)
    return vertices


def _read_ascii(path: Path, file: IO[bytes], vertex: _Element, skip: int, remaining: int) -> np.ndarray:
    if (
        2 * (skip + vertex.count * len(vertex.properties)) > remaining + 1
    ):  # at least a digit and a space each
        raise _cut_short(path, vertex.count)
    table = np.empty(vertex.count, vertex.dtype("="))
    if not vertex.count:
        return table
    for _ in range(skip):
        file.readline()
    try:
        values = np.loadtxt(file, np.float64, comments=None, max_rows=vertex.count, ndmin=2)
    except ValueError as error:
        raise FileFormatError(path, "its vertices are not a table of numbers") from error
    if values.shape != (vertex.count, len(vertex.properties)):
        raise _cut_short(path, vertex.count)
    with np.errstate(all="ignore"):  # numbers too large for their type are the file's problem
        for i, (name, _) in enumerate(vertex.properties):
            table[name] = values[:, i]
    return table


def _read_header(path: Path, file: IO[bytes]) -> tuple[str, list[_Element]]:
    if file.readline(16).strip() != b"ply":
        raise FileFormatError(path, "it is not a PLY file")
    kind = ""
    elements: list[_Element] = []
    while True:
        line = file.readline(_LONGEST_HEADER)
        if not line or file.tell() > _LONGEST_HEADER:
            raise FileFormatError(path, "its header has no end")
        words = line.decode("ascii", "replace").split()
        try:
            if not words or words[0] in ("comment", "obj_info"):
                continue
            if words[0] == "end_header":
                break
            kind = _parse_line(words, elements) or kind
        except (ValueError, IndexError, KeyError) as error:
            raise FileFormatError(path, f"its header has an unknown line {' '.join(words)[:60]!r}") from error
    if kind not in _ORDERS:
        raise FileFormatError(path, f"its format {kind[:40]!r} is unknown")
    return kind, elements


def _parse_line(words: list[str], elements: list[_Element]) -> str:
    """Add one line to the elements; returns the format if the line has it."""
    if words[0] == "format":
        return words[1]
    if words[0] == "element":
        count = int(words[2])
        if count < 0:
            raise ValueError(words[2])
        elements.append(_Element(words[1], count, []))
    elif words[0] == "property" and words[1] == "list":
        elements[-1].has_list = True
    elif words[0] == "property":
        if words[2] in (name for name, _ in elements[-1].properties):
            raise ValueError(words[2])
        elements[-1].properties.append((words[2], _TYPES[words[1]]))
    else:
        raise ValueError(words[0])
    return ""


def _cut_short(path: Path, count: int) -> FileFormatError:
    return FileFormatError(path, f"it is cut short and ends before its {count} vertices do")
