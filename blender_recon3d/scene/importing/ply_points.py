"""The vertices of a PLY file as a cloud: x y z, nx ny nz, red green blue (or r g b, diffuse_red ...) and views."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...pipeline.errors import FileFormatError
from ...pipeline.files.ply import read_vertices
from ...pipeline.files.vertex_colors import vertex_colors
from ..points import Points


def read_points(path: Path) -> Points:
    """The vertices, finite ones only. Raises FileFormatError."""
    return to_points(path, read_vertices(path)).finite()


def to_points(path: Path, vertices: np.ndarray) -> Points:
    """The vertices of a file, all of them. path: for the message of FileFormatError."""
    names = set(vertices.dtype.names or ())
    if not {"x", "y", "z"} <= names:
        raise FileFormatError(path, "its vertices have no x, y, z")
    return Points(
        xyz=_columns(vertices, ("x", "y", "z")),
        rgb=vertex_colors(vertices),
        normals=_columns(vertices, ("nx", "ny", "nz")) if {"nx", "ny", "nz"} <= names else None,
        views=vertices["views"].astype(np.int32) if "views" in names else None,
    )


def _columns(vertices: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    out = np.empty((len(vertices), len(names)), np.float32)
    with np.errstate(all="ignore"):
        for i, name in enumerate(names):
            out[:, i] = vertices[name]
    return out
