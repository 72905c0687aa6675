"""Write OpenEXR pictures with the package OpenEXR, which is optional."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..system.extra_packages import extra

LARGEST_HALF = 65504.0


def check_exr() -> None:
    """UserError (2) if the package is missing."""
    extra("A texture as OpenEXR", "choose a PNG texture", "OpenEXR")


def write_exr(path: Path, light: np.ndarray) -> None:
    """Write light [H, W, 3], RGB with sRGB's primaries, with 16-bit floats, compressed without loss."""
    package = extra("A texture as OpenEXR", "choose a PNG texture", "OpenEXR")
    header = {"compression": package.ZIP_COMPRESSION, "type": package.scanlineimage}
    pixels = np.ascontiguousarray(np.clip(light, 0, LARGEST_HALF).astype(np.float16))
    package.File(header, {"RGB": pixels}).write(str(path))
