"""Photos of a circular fisheye that are mapped with the model of another lens: the result is bent, and looks fine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..doubts import Doubt
from ..photos.image_files import read_gray

SHORT = 0.6  # of the longest side: a focal length under it is a very wide lens
LOOKED_AT = 3  # photos of a camera
CORNER = 20  # the corners' squares have this part of a side
BLACK = 16  # of 255
BRIGHT = 30  # what the middle is at least: a dark photo says nothing


def is_circle(image: np.ndarray) -> bool:
    """Whether a gray photo, uint8 [H, W], is black in all four corners and not in its middle."""
    height, width = (max(1, side // CORNER) for side in image.shape)
    corners = [
        image[:height, :width],
        image[:height, -width:],
        image[-height:, :width],
        image[-height:, -width:],
    ]
    rows, columns = image.shape[0] // 3, image.shape[1] // 3
    middle = image[rows : 2 * rows + 1, columns : 2 * columns + 1]
    return max(float(corner.mean()) for corner in corners) < BLACK and float(middle.mean()) > BRIGHT


def fisheye_doubts(model: Any, images: Path) -> list[Doubt]:
    """model: pycolmap.Reconstruction; images: the folder of its photos."""
    found = []
    for number, camera in sorted(model.cameras.items()):
        if "FISHEYE" in camera.model.name or camera.mean_focal_length() > SHORT * max(
            camera.width, camera.height
        ):
            continue
        names = sorted(
            model.image(i).name for i in model.reg_image_ids() if model.image(i).camera_id == number
        )
        looked_at = names[:: max(1, len(names) // LOOKED_AT)][:LOOKED_AT]
        if looked_at and all(is_circle(read_gray(images / name)) for name in looked_at):
            found.append(
                Doubt(
                    "lens",
                    f"The photos of camera {number} look like a fisheye's (a circle with black corners), and "
                    f"{camera.model.name} bends them.",
                    "Run again with --camera-model OPENCV_FISHEYE.",
                    tuple(names),
                )
            )
    return found
