"""The vertices of a PLY file as a cloud: x y z, nx ny nz, red green blue (or r g b, diffuse_red ...) and views."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...pipeline.errors import FileFormatError
from ...pipeline.files.ply import read_vertices
from ..points import Points

_COLOUR_NAMES = (("red", "green", "blue"), ("r", "g", "b"), ("diffuse_red", "diffuse_green", "diffuse_blue"))


def read_points(path: Path) -> Points:
    """The vertices, finite ones only. Raises FileFormatError."""
    return to_points(path, read_vertices(path)).finite()


def to_points(path: Path, vertices: np.ndarray) -> Points:
    """The vertices of a file, all of them. path: for the message of FileFormatError."""
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
