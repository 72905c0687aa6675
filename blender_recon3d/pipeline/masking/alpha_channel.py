"""Masks from transparency: photos of which the background was removed in another program."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import ImageOps

from ..photos.image_files import open_photo

HALF = 127  # of 255; a more transparent pixel is background
MODES = ("RGBA", "LA", "PA", "La", "RGBa")


def opaque_pixels(path: Path) -> np.ndarray | None:
    """The opaque pixels of a photo, bool [H, W], upright; None if it has no transparent ones.

    Raises what `open_photo` and Pillow's decoders do.
    """
    with open_photo(path) as image:
        if image.mode not in MODES and "transparency" not in image.info:
            return None
        alpha = ImageOps.exif_transpose(image.convert("RGBA")).getchannel("A")
    opaque = np.asarray(alpha) > HALF
    return None if opaque.all() or not opaque.any() else opaque
