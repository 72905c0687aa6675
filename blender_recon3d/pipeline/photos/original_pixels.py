"""The pixels of an original with more than 8 bits per channel, without loss: for the texture.

The workspace's own pictures have 8 bits. These have the same size, orientation, black and white.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .color_profiles import profile_in_use
from .deep_pixels import ValueRange, deep_values
from .exif import read_exif
from .image_files import STRIP, opacity, open_photo, upright_rgb
from .wide_colors import wide_colors

BRIGHTEST = (
    1000.0  # times white; brighter spots, such as the sun, would leave halos where the photo is resampled
)


def read_original(path: Path, span: ValueRange) -> np.ndarray:
    """An upright photo in sRGB, float32 [H, W, 3]: 0 is black, 1 white, and light may go beyond it. White where it
    is transparent.

    span: black and white, as in photos.json. OSError or ValueError if it is no longer readable.
    """
    with open_photo(path) as image:
        values = deep_values(image)
        profile = profile_in_use(image)
        wide = wide_colors(profile) if profile else None
        if values is None or (profile and wide is None) or (profile and values.ndim == 2):
            return np.asarray(upright_rgb(image, span)).astype(np.float32) / 255
        orientation = 1 if image.format == "TIFF" else read_exif(image).orientation
        result = np.empty((*values.shape[:2], 3), np.float32)
        rows = max(1, STRIP // values.shape[1])
        for top in range(0, len(values), rows):
            part = values[top : top + rows]
            channels = 1 if part.ndim == 2 else part.shape[2]
            colors = part[..., :3] if channels >= 3 else part.reshape(*part.shape[:2], -1)[..., :1]
            shown = span.displayed(colors, BRIGHTEST if span.light else 1.0)
            if wide and channels >= 3:
                shown = wide.to_srgb(shown)
            if channels in (2, 4):
                alpha = opacity(part[..., -1:])
                shown = 1 - alpha * (1 - shown)
            result[top : top + rows] = shown
    return _turned(result, orientation)


def _turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Pixels [H, W, 3] rotated according to EXIF's orientation."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
