"""The stage `photos`: copy photos upright under safe names, group them into cameras, exclude unusable ones."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from ..documents.document_files import write_document
from ..documents.photos_json import PhotosDocument
from ..errors import UserError
from ..events import Progress
from ..files.atomic_files import atomic_file, clone_or_copy, link_or_copy, remove
from ..files.user_path import user_path
from ..results import described
from ..stage_settings import PhotosSettings
from ..workspace import Workspace
from .camera_groups import group_cameras
from .exif import read_exif
from .find_photos import (
    MIN_PHOTOS,
    common_folder,
    look_for,
    natural_key,
    none_found,
)
from .image_files import open_photo, upright_rgb
from .left_out import notes, pictures_left
from .masks import match_masks, read_mask
from .photo_entries import examine_all, in_threads, photo_entry
from .photo_quality import PhotoInfo, set_aside
from .photo_sources import write_sources

JPEG_QUALITY = 97  # of converted photos; the loss is below the sensor's noise


def bring_in_photos(workspace: Workspace, settings: PhotosSettings, progress: Progress) -> dict[str, Any]:
    files, unread = _find(workspace, settings, progress)
    base = common_folder(files)
    photos = examine_all(files, progress)
    set_aside(photos, settings.keep_blurred, settings.keep_copies)
    used = [photo for photo in photos if not photo.reason]
    for photo in photos:
        if photo.reason:
            progress.warning(f"{photo.path.name} is excluded: {photo.reason}.", photo=str(photo.path))
    if left := pictures_left(used):
        progress.warning(left)
        unread.append(left)
    if len(used) < MIN_PHOTOS:
        raise UserError(" ".join([_too_few(photos, used, base), *unread]), 2)

    taken: set[str] = set()
    entries = [photo_entry(photo, base, taken) for photo in photos]
    jobs = [
        (photo, workspace.images / entry.name)
        for photo, entry in zip(photos, entries, strict=True)
        if not photo.reason
    ]
    in_threads(
        [partial(_bring_in, photo, target, workspace.frames) for photo, target in jobs],
        progress,
        "copying",
    )
    if settings.masks:
        _bring_masks(workspace, settings, base, jobs, progress)
    write_sources(workspace, settings, progress)
    entries, cameras = group_cameras(entries, settings, progress)
    write_document(workspace.photos, PhotosDocument(source=str(base), cameras=cameras, photos=entries))
    aside = len(photos) - len(used)
    message = f"{len(used)} photos, {len(cameras)} camera{'s' * (len(cameras) > 1)}, {aside} excluded"
    return {"message": message, "photos": len(used), "set_aside": aside, "cameras": len(cameras)}


def _find(workspace: Workspace, settings: PhotosSettings, progress: Progress) -> tuple[list[Path], list[str]]:
    """The photos, including frames of videos; and messages on what could not be read."""
    from .video import extract_frames

    found = look_for(settings.sources, workspace.root, settings.masks)
    files, unread = found.photos, []
    for note in notes(found):
        (progress.warning if note.weighty else progress.info)(note.text)
        unread += [note.text] * note.weighty
    for number, video in enumerate(found.videos):
        folder = workspace.frames / f"{number:02d}"
        if not _whole_frames(folder):
            remove(folder)
            taken = extract_frames(video, folder, settings.frames, progress)
            progress.info(f"Extracted {taken} frames from {video.name}.")
        files += sorted(folder.glob("*.jpg"), key=natural_key)
    if not files:
        raise UserError(" ".join([none_found(settings.sources), *unread]), 2)
    return files, unread


def _whole_frames(folder: Path) -> bool:
    """Whether all frames were extracted: the folder appears atomically, but a power failure may empty its files."""
    frames = list(folder.glob("*.jpg")) if folder.is_dir() else []
    return bool(frames) and all(path.stat().st_size > 0 for path in frames)


def _too_few(photos: list[PhotoInfo], used: list[PhotoInfo], base: Path) -> str:
    reasons = [f"{photo.path.name}: {photo.reason}" for photo in photos if photo.reason]
    shown = "; ".join(reasons[:3]) + (f"; and {len(reasons) - 3} more" if len(reasons) > 3 else "")
    text = f"{len(used)} of {len(photos)} photos in {base} can be used, but at least {MIN_PHOTOS} are needed"
    return f"{text}{f' ({shown})' if shown else ''}: add photos and run again."


def _bring_in(photo: PhotoInfo, target: Path, frames: Path) -> None:
    if target.exists() and _is_whole(photo, target):  # from an interrupted run
        return
    if photo.plain:
        # Our own frames do not change, but the user's photos may while the run is in progress.
        (link_or_copy if frames in photo.path.parents else clone_or_copy)(photo.path, target)
        return
    with open_photo(photo.path) as image:
        exif = read_exif(image)
        pixels = upright_rgb(image, photo.value_range)
        # Keep the camera data that COLMAP and other readers need; the orientation has been applied.
        kept = Image.Exif()
        kept[0x010F], kept[0x0110] = exif.make, exif.model
        with atomic_file(target) as part:
            options: dict[str, Any] = {"format": "PNG"}
            if target.suffix == ".jpg":
                options = {"format": "JPEG", "quality": JPEG_QUALITY, "subsampling": 0}
            pixels.save(part, exif=kept, **options)


def _is_whole(photo: PhotoInfo, target: Path) -> bool:
    """Whether a photo in the workspace is intact: a copy by size and ends, others by decoding."""
    if photo.plain:
        return described(target) == described(photo.path)
    try:
        with open_photo(target) as image:
            image.load()
            return image.size == (photo.width, photo.height)
    except (OSError, ValueError, SyntaxError):
        return False


def _bring_masks(
    workspace: Workspace,
    settings: PhotosSettings,
    base: Path,
    jobs: list[tuple[PhotoInfo, Path]],
    progress: Progress,
) -> None:
    """Write masks/NAME.png as COLMAP expects them: uint8, the photo's upright size, 0 is ignored."""
    folder = user_path(settings.masks).absolute()
    found = match_masks(folder, [photo.path for photo, _ in jobs])
    _say_unclear(found.unclear, base, progress)
    missing = []
    for photo, target in jobs:
        mask = found.of.get(photo.path)
        if mask is None:
            missing.append(photo.path.name)
            continue
        try:
            kept = read_mask(mask)
            values = _fit_mask(kept, photo)
        except Exception as error:  # decoders raise nearly anything on hostile files
            said = getattr(error, "strerror", None) or error
            progress.warning(f"The mask {mask} cannot be read ({said}): {photo.path.name} is used unmasked.")
            continue
        if not kept.any():
            progress.warning(
                f"The mask {mask} is all black and hides all of {photo.path.name}: white marks what is kept."
            )
        with atomic_file(workspace.masks / f"{target.name}.png") as part:
            part.write_bytes(cv2.imencode(".png", values)[1].tobytes())
    if len(missing) == len(jobs):
        if found.unclear:
            raise UserError(f"The masks in {folder} fit several photos each: {FOLDERS_OF_MASKS}.", 2)
        raise UserError(
            f"None of the masks in {folder} is named like a photo: the mask of IMG_1.jpg must be named "
            "IMG_1.png.",
            2,
        )
    if missing:
        shown = ", ".join(missing[:5]) + (" and others" if len(missing) > 5 else "")
        progress.warning(f"{len(missing)} photos have no mask and are used unmasked: {shown}.")


FOLDERS_OF_MASKS = (
    "put them into folders named like those of the photos, as in day1/IMG_1.png for day1/IMG_1.jpg"
)


def _say_unclear(unclear: dict[Path, list[Path]], base: Path, progress: Progress) -> None:
    for mask, photos in list(unclear.items())[:1]:
        names = " and ".join(str(path.relative_to(base)) for path in photos[:2])
        more = f" (and {len(unclear) - 1} more masks)" if len(unclear) > 1 else ""
        progress.warning(f"The mask {mask.name} fits {names}{more}, so it is not used: {FOLDERS_OF_MASKS}.")


def _fit_mask(kept: np.ndarray, photo: PhotoInfo) -> np.ndarray:
    """The mask, 0 and 255, at the size of the upright photo; one made for the unrotated photo is rotated with it."""
    values = np.where(kept, 255, 0).astype(np.uint8)
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
    return cv2.resize(values, size, interpolation=cv2.INTER_NEAREST)
