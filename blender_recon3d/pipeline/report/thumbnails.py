"""Thumbnails of all photos, of limited size: 1,000 photos add about 5 MB to the page."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..documents.report_json import ReportedPhoto
from ..photos.image_files import open_photo, upright_rgb
from ..system.cpu import cores
from ..workspace import Workspace

MAX_PICTURES = 1000  # photos with a picture
MAX_LARGE_PICTURES = 120  # with more photos, all pictures are small
LARGE, SMALL = 320, 128  # longest side in pixels
QUALITY = 72


def thumbnails(workspace: Workspace, photos: list[ReportedPhoto]) -> dict[int, bytes]:
    """JPEGs by index into `photos`; a photo that cannot be read has none."""
    side = LARGE if len(photos) <= MAX_LARGE_PICTURES else SMALL

    def make(number: int) -> bytes | None:
        photo = photos[number]
        path = workspace.images / photo.name if photo.name else Path(photo.source)
        if not photo.used:
            path = Path(photo.source)
        return _thumbnail(path, side)

    numbers = range(min(len(photos), MAX_PICTURES))
    with ThreadPoolExecutor(max_workers=min(cores(), 8)) as pool:
        pictures = pool.map(make, numbers)
        return {number: content for number, content in zip(numbers, pictures, strict=True) if content}


def _thumbnail(path: Path, side: int) -> bytes | None:
    """A JPEG of the upright photo, or None: excluded files may not be photos at all."""
    try:
        with open_photo(path) as image:
            image.draft("RGB", (side, side))  # JPEGs are decoded at a fraction of their size
            small = upright_rgb(image)
            small.thumbnail((side, side))
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=QUALITY, optimize=True)
        return buffer.getvalue()
    except Exception:  # Pillow raises nearly anything on damaged or hostile files
        return None
