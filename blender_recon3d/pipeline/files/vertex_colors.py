"""Vertex colors of PLY files with any number type, by the same rule here and in Blender. numpy only.

The types alone do not define white: programs write bytes into ushorts, and 0..255 into floats. So the values decide.
"""

from __future__ import annotations

import numpy as np

# In any case: programs also write Red or R.
NAMES = (
    ("red", "green", "blue"),
    ("r", "g", "b"),
    ("diffuse_red", "diffuse_green", "diffuse_blue"),
    ("scalar_r", "scalar_g", "scalar_b"),
    ("ambient_red", "ambient_green", "ambient_blue"),
)
GRAY = (
    "gray",
    "grey",
    "luminance",
    "intensity",
    "scalar_intensity",
)  # of scanners and black-and-white cameras
PACKED = ("rgb", "rgba")  # PCL: one number of four bytes, 0xAARRGGBB, possibly declared as float
SPLAT = ("f_dc_0", "f_dc_1", "f_dc_2")  # Gaussian splats: the constant of their spherical harmonics
CONSTANT = 0.28209479177387814  # 1 / (2 sqrt(pi)): the first spherical harmonic
SHARE = 0.999  # quantile of the nonzero values, which ignores outliers
OVERSHOOT = 2.0  # maximum of colors from 0 to 1 after sharpening; such a cloud in bytes would be black
MAX_LOOKED_AT = 1_000_000  # values


def vertex_colors(vertices: np.ndarray) -> np.ndarray | None:
    """uint8 [N, 3], as in the file (usually sRGB); None if there are none.

    vertices: a structured array [N]. White is 255 for bytes; for floats and wider integers the smallest of 1, 255 and
    65535 that fits all three channels, or else the largest value. NaN becomes black.
    """
    fields = set(vertices.dtype.names or ())
    by_name = {name.lower(): name for name in sorted(fields)}
    names = next((trio for trio in NAMES if by_name.keys() >= set(trio)), None)
    if names is None:
        other = _packed_or_splats(vertices, fields)
        gray = next((name for name in GRAY if name in by_name), None)
        if other is not None or gray is None:
            return other
        names = (gray, gray, gray)
    columns = [_unsigned(vertices[by_name[name]]) for name in names]
    white = max(_white(column) for column in columns)
    out = np.empty((len(vertices), 3), np.uint8)
    for channel, column in enumerate(columns):
        out[:, channel] = column if column.dtype == np.uint8 and white == 255 else _as_bytes(column, white)
    return out


def _packed_or_splats(vertices: np.ndarray, fields: set[str]) -> np.ndarray | None:
    for name in PACKED:
        if name in fields and vertices.dtype[name].itemsize == 4:
            number = np.ascontiguousarray(vertices[name]).view(vertices.dtype[name].str[0] + "u4")
            return np.stack([(number >> shift) & 255 for shift in (16, 8, 0)], axis=1).astype(np.uint8)
    if fields.issuperset(SPLAT):
        return np.stack(
            [_as_bytes(0.5 + CONSTANT * vertices[name].astype(float), 1.0) for name in SPLAT], axis=1
        )
    return None


def _unsigned(column: np.ndarray) -> np.ndarray:
    """Convert chars and shorts, which old programs use for bytes and ushorts."""
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
