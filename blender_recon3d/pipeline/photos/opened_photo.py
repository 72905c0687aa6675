"""A photo in a format that Pillow does not read: as a Pillow image without pixels that carries its values.

The values, with more than 8 bits per channel, are in the image's `info`, where `deep_pixels` finds them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

VALUES = "recon3d values"  # in an image's info: [H, W, 3]
RAW, EXR, HDR = "RAW", "EXR", "HDR"
LINEAR = (EXR, HDR)  # formats whose values are linear in light, by definition
BYTES_PER_PIXEL = {RAW: 40, EXR: 56, HDR: 44}  # at the peak of decoding and converting


@dataclass(frozen=True)
class Opened:
    """A photo whose header was read. size: width and height, pixels; decode: returns its values [H, W, 3]; exif: for
    Pillow; xmp: may be empty."""

    kind: str
    size: tuple[int, int]
    decode: Callable[[], np.ndarray]
    exif: bytes = b""
    xmp: bytes = b""

    def image(self) -> Image.Image:
        """Decode; the image is black, and has the values in its info."""
        values = self.decode()
        image = Image.new("RGB", values.shape[1::-1])
        image.format = self.kind
        image.info[VALUES] = values
        image.info.update({name: value for name, value in (("exif", self.exif), ("xmp", self.xmp)) if value})
        return image
