"""Masks from the user's files, named like the photos."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ..documents.masks_json import MaskOrigin
from ..errors import UserError
from ..events import Progress
from ..photos.masks import match_masks, read_mask
from ..photos.panorama_views import cut
from ..photos.photo_quality import PhotoInfo
from .mask_writer import MaskWriter

FOLDERS_OF_MASKS = (
    "put them into folders named like those of the photos, as in day1/IMG_1.png for day1/IMG_1.jpg"
)


def from_folder(folder: Path, base: Path, writer: MaskWriter, progress: Progress) -> None:
    """Masks of the photos of `writer`. base: the photos' common folder. UserError (2) if no mask fits a photo."""
    matched = match_masks(folder, list(dict.fromkeys(photo.path for photo in writer.photos.values())))
    _say_unclear(matched.unclear, base, progress)
    missing = []
    for name, photo in writer.photos.items():
        if writer.is_painted(name):
            continue
        mask = matched.of.get(photo.path)
        if mask is None:
            missing.append(photo.path.name)
            continue
        try:
            pixels = read_mask(mask)
            values = _view(pixels, photo.side) if photo.side else fit_mask(pixels, photo)
        except Exception as error:  # decoders raise nearly anything on hostile files
            reason = getattr(error, "strerror", None) or error
            progress.warning(
                f"The mask {mask} cannot be read ({reason}): {photo.path.name} is used unmasked."
            )
            continue
        if not values.any():
            progress.warning(
                f"The mask {mask} is all black and hides all of {photo.path.name}: white marks what is kept."
            )
        writer.put(name, values, MaskOrigin.FILE)
    if missing and len(missing) == len(writer.photos):
        if matched.unclear:
            raise UserError(f"The masks in {folder} fit several photos each: {FOLDERS_OF_MASKS}.", 2)
        raise UserError(
            f"None of the masks in {folder} is named like a photo: the mask of IMG_1.jpg must be named "
            "IMG_1.png.",
            2,
        )
    if missing:
        shown = ", ".join(missing[:5]) + (" and others" if len(missing) > 5 else "")
        progress.warning(f"{len(missing)} photos have no mask and are used unmasked: {shown}.")


def _say_unclear(unclear: dict[Path, list[Path]], base: Path, progress: Progress) -> None:
    for mask, photos in list(unclear.items())[:1]:
        names = " and ".join(str(path.relative_to(base)) for path in photos[:2])
        others = f" (and {len(unclear) - 1} more masks)" if len(unclear) > 1 else ""
        progress.warning(f"The mask {mask.name} fits {names}{others}, so it is not used: {FOLDERS_OF_MASKS}.")


def _view(mask: np.ndarray, side: str) -> np.ndarray:
    """A panorama's mask, bool, as seen in one of its views."""
    return np.asarray(cut(np.where(mask, 255, 0).astype(np.uint8), side, nearest=True) > 0)


def fit_mask(mask: np.ndarray, photo: PhotoInfo) -> np.ndarray:
    """A mask, bool, at the size of the upright photo; one made for the unrotated photo is rotated with it."""
    values = np.where(mask, 255, 0).astype(np.uint8)
    height, width = values.shape
    turned = photo.exif is not None and photo.exif.orientation in (5, 6, 7, 8)
    if turned and (width < height) != (photo.width < photo.height):
        assert photo.exif is not None
        image = Image.fromarray(values)
        turn = {
            5: Image.Transpose.TRANSPOSE,
            6: Image.Transpose.ROTATE_270,
            7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_90,
        }[photo.exif.orientation]
        values = np.asarray(image.transpose(turn))
    size = (photo.width, photo.height)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_NEAREST) > 0)
