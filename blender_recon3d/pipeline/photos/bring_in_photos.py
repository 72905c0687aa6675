"""The stage `photos`: copy photos upright under safe names, group them into cameras, exclude unusable ones."""

from __future__ import annotations

from dataclasses import dataclass
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
from ..results import described
from ..stage_settings import PhotosSettings
from ..workspace import Workspace
from .camera_groups import group_cameras
from .camera_rigs import camera_rigs, mark_shots
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
from .panorama_views import SIDES, cut, panorama_rigs
from .photo_entries import examine_all, in_threads, photo_entries, view_info
from .photo_quality import PhotoInfo, set_aside
from .photo_sources import write_sources

JPEG_QUALITY = 97  # of converted photos; the loss is below the sensor's noise


@dataclass(frozen=True)
class TakenPhotos:
    """base: the photos' common folder. used: those used, by their names in the workspace. summary: of the stage."""

    base: Path
    used: dict[str, PhotoInfo]
    summary: dict[str, Any]


def bring_in_photos(workspace: Workspace, settings: PhotosSettings, progress: Progress) -> TakenPhotos:
    files, unread = _find(workspace, settings, progress)
    base = common_folder(files)
    photos = examine_all(files, progress)
    set_aside(photos, settings.keep_blurred, settings.keep_copies)
    used = [photo for photo in photos if not photo.reason]
    for photo in photos:
        if photo.reason:
            progress.warning(f"{photo.path.name} is excluded: {photo.reason}.", photo=str(photo.path))
    if sentence := pictures_left(used):
        progress.warning(sentence)
        unread.append(sentence)
    if len(used) < MIN_PHOTOS:
        raise UserError(" ".join([_too_few(photos, used, base), *unread]), 2)

    taken: set[str] = set()
    listed = photo_entries(photos, base, taken)
    jobs = [
        (photo, {entry.side: workspace.images / entry.name for entry in own})
        for photo, own in zip(photos, listed, strict=True)
        if not photo.reason
    ]
    if panoramas := [photo for photo in used if photo.panorama]:
        progress.info(f"{len(panoramas)} 360-degree panoramas are cut into {len(SIDES)} views each.")
    in_threads(
        [
            partial(_cut, photo, targets)
            if photo.panorama
            else partial(_bring_in, photo, targets[""], workspace.frames)
            for photo, targets in jobs
        ],
        progress,
        "copying",
    )
    entries = [entry for own in listed for entry in own]
    write_sources(workspace, settings, progress)
    if settings.grouping != "single":
        entries = mark_shots(entries, settings.sources)
    entries, cameras = group_cameras(entries, settings, progress)
    rigs = panorama_rigs(entries) + camera_rigs(entries, settings.sources)
    document = PhotosDocument(source=str(base), cameras=cameras, photos=entries, rigs=rigs)
    write_document(workspace.photos, document)
    aside = len(photos) - len(used)
    message = f"{len(used)} photos, {len(cameras)} camera{'s' * (len(cameras) > 1)}, {aside} excluded"
    summary = {"message": message, "photos": len(used), "set_aside": aside, "cameras": len(cameras)}
    used_names = {
        target.name: view_info(photo, side) if side else photo
        for photo, targets in jobs
        for side, target in targets.items()
    }
    return TakenPhotos(base, used_names, summary)


def _find(workspace: Workspace, settings: PhotosSettings, progress: Progress) -> tuple[list[Path], list[str]]:
    """The photos, including frames of videos; and messages on what could not be read."""
    from .video import extract_frames

    listing = look_for(settings.sources, workspace.root, settings.mask_files)
    files, unread = listing.photos, []
    for note in notes(listing):
        (progress.warning if note.weighty else progress.info)(note.text)
        unread += [note.text] * note.weighty
    for number, video in enumerate(listing.videos):
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
        tags = Image.Exif()
        tags[0x010F], tags[0x0110] = exif.make, exif.model
        with atomic_file(target) as part:
            options: dict[str, Any] = {"format": "PNG"}
            if target.suffix == ".jpg":
                options = {"format": "JPEG", "quality": JPEG_QUALITY, "subsampling": 0}
            pixels.save(part, exif=tags, **options)


def _cut(photo: PhotoInfo, targets: dict[str, Path]) -> None:
    """Write the views of a panorama."""
    with open_photo(photo.path) as image:
        pixels = np.asarray(upright_rgb(image, photo.value_range))
    for side, target in targets.items():
        with atomic_file(target) as part:
            view = cut(pixels, side)[..., ::-1]
            options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if target.suffix == ".jpg" else []
            part.write_bytes(cv2.imencode(target.suffix, view, options)[1].tobytes())


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
