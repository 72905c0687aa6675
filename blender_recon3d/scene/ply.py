"""Reads the vertices of a PLY file as a cloud: binary or ASCII, properties in any order. numpy only.

The header says what there is (Turk, "The PLY Polygon File Format", 1994). Used: x y z, nx ny nz, red green
blue (or r g b, diffuse_red ...) and views; everything else is skipped. Counts are checked against the file's
size before memory is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from .errors import FileFormatError
from .points import Points

_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4",
    "float": "f4", "double": "f8",
    "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
    "float32": "f4", "float64": "f8",
}  # fmt: skip
_ORDER = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_COLOUR_NAMES = (("red", "green", "blue"), ("r", "g", "b"), ("diffuse_red", "diffuse_green", "diffuse_blue"))
_MAX_HEADER = 1 << 16


@dataclass(frozen=True)
class _Element:
    name: str
    count: int
    properties: tuple[tuple[str, str], ...]  # name, numpy type without byte order
    has_list: bool

    def dtype(self, order: str) -> np.dtype:
        return np.dtype([(name, order + kind) for name, kind in self.properties])


def read_points(path: Path) -> Points:
    """The vertices, finite ones only. Raises FileFormatError."""
    try:
        with open(path, "rb") as file:
            vertices = _read_vertices(path, file)
    except OSError as error:
        raise FileFormatError(path, f"it cannot be read ({error.strerror})") from error
    return _to_points(path, vertices).finite()


def _read_vertices(path: Path, file: IO[bytes]) -> np.ndarray:
    """A structured array with the vertex element's properties."""
    kind, elements = _read_header(path, file)
    before = []
    for element in elements:
        if element.name == "vertex":
            break
        before.append(element)
    else:
        raise FileFormatError(path, "it holds no vertices")
    if element.has_list:
        raise FileFormatError(path, "its vertices hold lists, which a cloud does not have")
    if not element.properties:
        raise FileFormatError(path, "its vertices hold nothing")
    start = file.tell()
    size = file.seek(0, 2)
    file.seek(start)
    if kind == "ascii":
        return _read_ascii(path, file, element, sum(e.count for e in before), size - start)
    order = _ORDER[kind]
    if any(e.has_list for e in before):
        raise FileFormatError(path, "it holds lists before its vertices")
    skip = sum(e.count * e.dtype(order).itemsize for e in before)
    dtype = element.dtype(order)
    if skip + element.count * dtype.itemsize > size - start:
        raise FileFormatError(path, f"it ends before its {element.count} points do")
    file.seek(start + skip)
    # Not mapped into memory: another process shortening the file would crash Blender.
    vertices = np.fromfile(file, dtype, element.count)
    if len(vertices) != element.count:
        raise FileFormatError(path, f"it ends before its {element.count} points do")
    return vertices


def _read_ascii(path: Path, file: IO[bytes], element: _Element, skip: int, size: int) -> np.ndarray:
    columns = len(element.properties)
    if skip + element.count * columns * 2 > size + 1:  # a digit and a space or line end each
        raise FileFormatError(path, f"it ends before its {element.count} points do")
    if element.count == 0:
        return np.empty(0, element.dtype(""))
    try:
        for _ in range(skip):
            next(file)
        table = np.loadtxt(file, np.float64, comments=None, max_rows=element.count, ndmin=2)
    except (ValueError, StopIteration) as error:
        raise FileFormatError(path, f"its points are no table of numbers ({error})") from error
    if table.shape != (element.count, columns):
        raise FileFormatError(path, f"it ends before its {element.count} points do")
    vertices = np.empty(element.count, element.dtype(""))
    with np.errstate(all="ignore"):
        for i, (name, _) in enumerate(element.properties):
            vertices[name] = table[:, i]
    return vertices


def _read_header(path: Path, file: IO[bytes]) -> tuple[str, list[_Element]]:
    if file.readline(16).strip() != b"ply":
        raise FileFormatError(path, "it is not a PLY file")
    kind = ""
    elements: list[_Element] = []
    while True:
        line = file.readline(1024)
        if not line or file.tell() > _MAX_HEADER:
            raise FileFormatError(path, "its header has no end")
        words = line.decode("ascii", "replace").split()
        try:
            if not words or words[0] in ("comment", "obj_info"):
                continue
            if words[0] == "end_header":
                break
            if words[0] == "format":
                kind = words[1]
            elif words[0] == "element":
                elements.append(_Element(words[1], _count(words[2]), (), False))
            elif words[0] == "property":
                elements[-1] = _with_property(elements[-1], words[1:])
            else:
                raise ValueError(words[0])
        except (ValueError, IndexError, KeyError) as error:
            raise FileFormatError(path, f"its header has an unknown line {' '.join(words)[:60]!r}") from error
    if kind not in _ORDER:
        raise FileFormatError(path, f"its format {kind[:40]!r} is unknown")
    return kind, elements


def _count(word: str) -> int:
    count = int(word)
    if count < 0:
        raise ValueError(word)
    return count


def _with_property(element: _Element, words: list[str]) -> _Element:
    if words[0] == "list":
        return _Element(element.name, element.count, element.properties, True)
    kind, name = _TYPES[words[0]], words[1]
    if any(name == other for other, _ in element.properties):
        raise ValueError(name)
    return _Element(element.name, element.count, (*element.properties, (name, kind)), element.has_list)


def _to_points(path: Path, vertices: np.ndarray) -> Points:
    names = set(vertices.dtype.names or ())
    if not {"x", "y", "z"} <= names:
        raise FileFormatError(path, "its vertices have no x, y, z")
    colours = next((trio for trio in _COLOUR_NAMES if set(trio) <= names), None)
    return Points(
        xyz=_columns(vertices, ("x", "y", "z")),
        rgb=_colours(vertices, colours) if colours else None,
        normals=_columns(vertices, ("nx", "ny", "nz")) if {"nx", "ny", "nz"} <= names else None,
        views=vertices["views"].astype(np.int32) if "views" in names else None,
    )


def _columns(vertices: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    out = np.empty((len(vertices), len(names)), np.float32)
    with np.errstate(all="ignore"):
        for i, name in enumerate(names):
            out[:, i] = vertices[name]
    return out


def _colours(vertices: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """uint8 from uchar, ushort (0..65535) or floats (0..1)."""
    out = np.empty((len(vertices), 3), np.uint8)
    for i, name in enumerate(names):
        column = vertices[name]
        if column.dtype.kind == "f":
            column = np.nan_to_num(np.rint(np.clip(column, 0, 1) * 255))
        elif column.dtype.itemsize == 2:
            column = column.view(column.dtype.str.replace("i", "u")) // 257
        out[:, i] = column
    return out
