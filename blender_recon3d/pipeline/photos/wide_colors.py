"""Colors of more than 8 bits from a photo's color space to sRGB, in floats: Pillow's ImageCms has only 8 bits.

For profiles of displays and cameras, which are a curve per channel and a matrix (ICC.1:2022, 8.3 and F.3): Display P3,
Adobe RGB, ProPhoto.
"""

from __future__ import annotations

import functools
import io
import struct
from dataclasses import dataclass

import numpy as np
from PIL import ImageCms

from .deep_pixels import encoded

STEPS = 4096  # of a curve that is a formula
# XYZ of sRGB's primaries, adapted to D50 as in profiles.
SRGB_COLUMNS = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
)


@dataclass(frozen=True, eq=False)
class WideColors:
    """curves: from 0..1 to light, each [N]; matrix [3, 3]: from this light to sRGB's."""

    curves: tuple[np.ndarray, ...]
    matrix: np.ndarray

    def to_srgb(self, colors: np.ndarray) -> np.ndarray:
        """Colors [..., 3] in 0..1 as float32 in sRGB, 0..1; those outside of its gamut are clipped."""
        light = np.stack(
            [
                np.interp(colors[..., k], np.linspace(0, 1, len(curve)), curve).astype(np.float32)
                for k, curve in enumerate(self.curves)
            ],
            axis=-1,
        )
        return encoded(np.clip(light @ self.matrix.T.astype(np.float32), 0, 1))


@functools.lru_cache(maxsize=16)
def wide_colors(profile: bytes) -> WideColors | None:
    """The conversion by an ICC profile of RGB; None if it is of another kind (tables) or damaged."""
    try:
        tags = _tags(profile)
        if b"A2B0" in tags:  # a table takes precedence
            return None
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile
        columns = [opened.red_colorant, opened.green_colorant, opened.blue_colorant]
        if None in columns:
            return None
        matrix = np.linalg.inv(SRGB_COLUMNS) @ np.array([column[0] for column in columns]).T
        curves = tuple(_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
    except (
        ImageCms.PyCMSError,
        OSError,
        ValueError,
        KeyError,
        IndexError,
        struct.error,
        np.linalg.LinAlgError,
    ):
        return None
    return WideColors(curves, matrix) if all(np.isfinite(curve).all() for curve in curves) else None


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    tags = {}
    for number in range(min(count, 100)):
        name, start, size = struct.unpack_from(">4sII", profile, 132 + 12 * number)
        tags[name] = profile[start : start + size]
    return tags


def _curve(tag: bytes) -> np.ndarray:
    """A curveType or parametricCurveType (10.6 and 10.18) as a table."""
    x = np.linspace(0, 1, STEPS)
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        values = np.frombuffer(tag, ">u2", count, 12).astype(float)
        if count == 0:
            return x
        return x ** (values[0] / 256) if count == 1 else values / 65535
    if tag[:4] != b"para":
        raise ValueError("another kind of curve")
    (kind,) = struct.unpack_from(">H", tag, 8)
    numbers = [value / 65536 for value in struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", tag, 12)]
    gamma = numbers[0]
    if kind == 0:
        return x**gamma
    a, b = numbers[1:3]
    power = np.maximum(a * x + b, 0) ** gamma
    if kind < 3:
        below = 0.0 if kind == 1 else numbers[3]
        return np.where(x >= -b / a, power + below, below)
    c, d = numbers[3:5]
    e, f = numbers[5:7] if kind == 4 else (0.0, 0.0)
    return np.where(x >= d, power + e, c * x + f)
