"""Pictures of masks over photos, to check them at a glance."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..events import Progress
from ..files.atomic_files import atomic_file
from ..files.pictures import read_picture
from ..workspace import Workspace
from .mask_pixels import small_picture

SIZE = 1000
HIDDEN = np.array([150, 30, 150], np.float32)  # BGR
STRENGTH = 0.6
JPEG_QUALITY = 88


def over_photo(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A photo, uint8 BGR [H, W, 3], with everything outside the mask, bool [H, W], tinted and the outline drawn."""
    shown = picture.astype(np.float32)
    shown[~mask] = (1 - STRENGTH) * shown[~mask] + STRENGTH * HIDDEN
    shown = np.rint(shown).astype(np.uint8)
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(shown, outlines, -1, (255, 255, 255), 1))


def write_pictures(workspace: Workspace, folder: Path, progress: Progress) -> list[Path]:
    """A JPEG of every masked photo in `folder`, named like the photo."""
    written = []
    photos = [photo for photo in workspace.used_photos() if (workspace.masks / f"{photo.name}.png").is_file()]
    for number, photo in enumerate(photos):
        progress.update(number, len(photos), "writing")
        picture = small_picture(workspace.images / photo.name, SIZE, (photo.width, photo.height))
        mask = read_picture(workspace.masks / f"{photo.name}.png", cv2.IMREAD_GRAYSCALE)
        resized = cv2.resize(mask, picture.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
        path = folder / f"{Path(photo.name).stem}.jpg"
        quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
        with atomic_file(path, lasting=False) as part:
            part.write_bytes(cv2.imencode(".jpg", over_photo(picture, resized), quality)[1].tobytes())
        written.append(path)
    return written
