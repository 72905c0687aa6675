"""Examine all photos of a capture, and create their entries in photos.json."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ..documents.photos_json import PhotoEntry, PhotoState
from ..events import Progress
from ..system.cpu import cores
from .find_photos import safe_name
from .image_files import pixel_budget
from .panorama_views import SIDES, side_pixels, up_in_view
from .photo_quality import PhotoInfo, examine
from .pixel_budget import bytes_needed

LIBRARY_BYTES = 1000 << 20  # with the networks


def examine_all(files: list[Path], progress: Progress) -> list[PhotoInfo]:
    """Read and decode every file, in the order given. Raises Cancelled."""
    return in_threads([partial(examine, file) for file in files], progress, "reading")


def reading_threads() -> int:
    """Number of photos decoded at once."""
    return min(cores(), 8)


def reading_bytes(sizes: list[tuple[int, int]]) -> int:
    """Memory for decoding the largest of these photos (width, height) in parallel, limited by their shared budget."""
    needed = sorted((bytes_needed("JPEG", width, height) for width, height in sizes), reverse=True)
    return LIBRARY_BYTES + min(pixel_budget().max_bytes, sum(needed[: reading_threads()]))


def in_threads(calls: list[Callable[[], Any]], progress: Progress, message: str) -> list[Any]:
    """The results of the calls in order; decoding releases the GIL, so threads are enough."""
    pool = ThreadPoolExecutor(max_workers=reading_threads())
    try:
        futures = [pool.submit(call) for call in calls]
        for done, _ in enumerate(as_completed(futures), 1):
            progress.update(done, len(futures), message)
        return [future.result() for future in futures]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def photo_entries(photos: list[PhotoInfo], base: Path, taken: set[str]) -> list[list[PhotoEntry]]:
    """The entries in photos.json of each photo: one, or one for each view of a panorama."""
    return [
        _views(photo_entry(photo, base, taken), photo, number, taken) for number, photo in enumerate(photos)
    ]


def _views(entry: PhotoEntry, photo: PhotoInfo, number: int, taken: set[str]) -> list[PhotoEntry]:
    if photo.reason or not photo.panorama:
        return [entry]
    size = side_pixels(photo.width)
    stem, extension = entry.name.rsplit(".", 1)
    return [
        replace(
            entry,
            name=safe_name(Path(f"{stem}_{side}"), f".{extension}", taken),
            width=size,
            height=size,
            up=up_in_view(side),
            side=side,
            shot=number,
        )
        for side in SIDES
    ]


def view_info(photo: PhotoInfo, side: str) -> PhotoInfo:
    """A panorama's data as those of one of its views."""
    size = side_pixels(photo.width)
    return replace(photo, width=size, height=size, side=side, sketch=None)


def photo_entry(photo: PhotoInfo, base: Path, taken: set[str]) -> PhotoEntry:
    """The photo's entry in photos.json. base: folder of all photos. taken: names in use; the new name is added."""
    exif = photo.exif
    relative = photo.path.relative_to(base)
    span = photo.value_range
    return PhotoEntry(
        name="" if photo.reason else safe_name(relative, _extension(photo), taken),
        source=str(photo.path),
        state=PhotoState.SET_ASIDE if photo.reason else PhotoState.USED,
        reason=photo.reason,
        width=photo.width,
        height=photo.height,
        make=exif.make if exif else "",
        model=exif.model if exif else "",
        focal_mm=exif.focal_mm if exif else None,
        focal_35mm=exif.focal_35mm if exif else None,
        sensor_mm=exif.sensor_mm if exif else None,
        digital_zoom=exif.digital_zoom if exif else None,
        orientation=exif.orientation if exif else 1,
        gps=exif.gps if exif else None,
        up=exif.up if exif else None,
        black=span.low if span else None,
        white=span.high if span else None,
        light=bool(span and span.light),
        sharpness=round(photo.sharpness[0], 3),
    )


def _extension(photo: PhotoInfo) -> str:
    """PNG for PNGs and for lossless photos that are converted; JPEG for the rest."""
    if photo.plain:
        return ".png" if photo.format == "PNG" else ".jpg"
    return ".png" if photo.format in ("PNG", "TIFF", "BMP", "EXR", "HDR") else ".jpg"
