"""The colors of a PLY file's vertices, whatever numbers they are in: the one rule, here and in Blender. numpy only.

The types alone do not say what white is: programs write bytes into ushorts, and 0..255 into floats. So the values do.
"""

from __future__ import annotations

import numpy as np

NAMES = (("red", "green", "blue"), ("r", "g", "b"), ("diffuse_red", "diffuse_green", "diffuse_blue"))
SHARE = 0.999  # of the values that are not zero decide: a few wild ones do not
OVERSHOOT = 2.0  # what colors from 0 to 1 may reach after sharpening; such a cloud in bytes would be black
MAX_LOOKED_AT = 1_000_000  # values


def vertex_colors(vertices: np.ndarray) -> np.ndarray | None:
    """uint8 [N, 3], as they stand in the file (sRGB, as a rule); None where there are none.

    vertices: a structured array [N]. White is 255 for bytes; 1, 255 or 65535 for floats and wider integers, the least
    that the three channels together fit into; beyond that, the largest value. What is not a number is black.
    """
    fields = set(vertices.dtype.names or ())
    names = next((trio for trio in NAMES if fields.issuperset(trio)), None)
    if names is None:
        return None
    columns = [_unsigned(vertices[name]) for name in names]
    white = max(_white(column) for column in columns)
    out = np.empty((len(vertices), 3), np.uint8)
    for channel, column in enumerate(columns):
        out[:, channel] = column if column.dtype == np.uint8 and white == 255 else _as_bytes(column, white)
    return out


def _unsigned(column: np.ndarray) -> np.ndarray:
    """Chars and shorts are what old programs call bytes and ushorts."""
    if column.dtype.kind == "i" and column.dtype.itemsize <= 2:
        return column.view(column.dtype.str.replace("i", "u"))
    return column


def _white(column: np.ndarray) -> float:
    if column.dtype == np.uint8:
        return 255.0
    values = column[:: max(1, len(column) // MAX_LOOKED_AT)].astype(np.float64)
    values = values[np.isfinite(values) & (values > 0)]
    top = float(np.quantile(values, SHARE)) if len(values) else 0.0
    if column.dtype.kind == "f" and top <= OVERSHOOT:
        return 1.0
    return next((white for white in (255.0, 65535.0) if top <= white), top)


def _as_bytes(column: np.ndarray, white: float) -> np.ndarray:
    with np.errstate(all="ignore"):
        scaled = np.nan_to_num(column.astype(np.float64) * (255.0 / white), nan=0.0, posinf=255.0, neginf=0.0)
        return np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)
