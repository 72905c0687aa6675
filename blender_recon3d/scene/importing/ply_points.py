"""The vertices of a PLY file as a cloud: x y z, nx ny nz, red green blue (or r g b, diffuse_red ...) and views."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...pipeline.errors import FileFormatError
from ...pipeline.files.ply import read_vertices, with_usual_normals
from ...pipeline.files.vertex_colors import vertex_colors
from ..points import Points

NOTHING = (0.0, 0.0, 0.0)


def read_points(path: Path, offset: Sequence[float] | np.ndarray = NOTHING) -> Points:
    """The finite vertices, minus the offset. Raises FileFormatError."""
    return to_points(path, read_vertices(path), offset).finite()


def to_points(path: Path, vertices: np.ndarray, offset: Sequence[float] | np.ndarray = NOTHING) -> Points:
    """All vertices of a file, minus the offset. path: for the message of FileFormatError."""
    vertices = with_usual_normals(vertices)
    names = set(vertices.dtype.names or ())
    if not {"x", "y", "z"} <= names:
        raise FileFormatError(path, "its vertices have no x, y, z")
    return Points(
        xyz=_columns(vertices, ("x", "y", "z"), offset),
        rgb=vertex_colors(vertices),
        normals=_columns(vertices, ("nx", "ny", "nz")) if {"nx", "ny", "nz"} <= names else None,
        views=vertices["views"].astype(np.int32) if "views" in names else None,
    )


def _columns(
    vertices: np.ndarray, names: tuple[str, ...], offset: Sequence[float] | np.ndarray = NOTHING
) -> np.ndarray:
    out = np.empty((len(vertices), len(names)), np.float32)
    with np.errstate(all="ignore"):
        for i, name in enumerate(names):
            out[:, i] = vertices[name] - offset[i] if offset[i] else vertices[name]
    return out
