"""Detect 360-degree panoramas by their metadata (GPano), or by a 2:1 ratio with left and right sides that match.

No lens model fits them; they are cut into views (panorama_views.py).
"""

from __future__ import annotations

import re

import numpy as np
from PIL import Image

SAID = re.compile(rb"ProjectionType\s*(?:=\s*[\"']|>)\s*equirectangular", re.IGNORECASE)
RATIO = 0.01  # from 2:1
SEAM = 1.5  # times the typical difference of neighboring columns, between the last and the first
MIN_DIFFERENCE = 4.0  # gray values; flat pictures have no seam
PARTIAL = "a partial 360-degree panorama: export it in full, 360 by 180 degrees, twice as wide as high"


def is_panorama(image: Image.Image, gray: np.ndarray, has_focal: bool) -> bool:
    """Whether a photo is an equirectangular panorama. gray: upright photo, uint8 [H, W]. has_focal: whether EXIF has
    a focal length, which panoramas do not have; some phones take ordinary 2:1 photos."""
    xmp = image.info.get("xmp")
    if isinstance(xmp, bytes) and SAID.search(xmp):
        return True
    height, width = gray.shape
    if has_focal or abs(width / (2 * height) - 1) > RATIO:
        return False
    columns = gray.astype(np.float32)
    seam = np.abs(columns[:, 0] - columns[:, -1]).mean()
    usual = np.abs(np.diff(columns, axis=1)).mean(axis=0)
    far = np.abs(columns[:, 0] - columns[:, width // 3]).mean()
    return bool(seam <= SEAM * np.median(usual) and far > 2 * max(seam, MIN_DIFFERENCE))
