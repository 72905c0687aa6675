"""The focal length in pixels according to a photo's EXIF, and whether it is plausible.

EXIF is not reliable: adapters write nonsense, and digital zoom may or may not be included in the 35 mm equivalent.
Impossible values are dropped and reported; values that are merely wrong are corrected by structure from motion.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..documents.photos_json import FocalPrior, PhotoEntry
from ..events import Progress
from ..text import named
from .exif import focal_pixels

SHORTEST, LONGEST = 4.0, 3000.0  # 35 mm equivalents of a fisheye and of the longest superzoom
FULL_FRAME_WIDTH = 36.0  # mm
SHORTEST_LENS = 0.5  # mm, of the smallest cameras
MIN_CROP, MAX_CROP = (
    0.3,
    40.0,
)  # of the 35 mm equivalent by the focal length: large format, and the smallest sensors


def drop_absurd(entries: list[PhotoEntry], progress: Progress) -> list[PhotoEntry]:
    """The entries, with impossible focal lengths of used ones removed; a warning names them."""
    dropped: dict[str, list[str]] = defaultdict(list)
    plausible = []
    for entry in entries:
        focal, equivalent = entry.focal_mm, entry.focal_35mm
        if not entry.used:
            plausible.append(entry)
            continue
        if focal and not SHORTEST_LENS <= focal <= LONGEST:
            dropped[f"{focal:g} mm, which no lens has"].append(entry.name)
            entry = replace(entry, focal_mm=None)
            focal = None
        if equivalent and not SHORTEST <= equivalent <= LONGEST:
            dropped[f"{equivalent:g} mm (35 mm equivalent), which no lens has"].append(entry.name)
            entry = replace(entry, focal_35mm=None, focal_mm=None if focal == equivalent else focal)
        elif focal and equivalent and not MIN_CROP <= equivalent / focal <= MAX_CROP:
            dropped[
                f"{focal:g} mm and {equivalent:g} mm (35 mm equivalent), which do not go together on any sensor"
            ].append(entry.name)
            entry = replace(entry, focal_mm=None, focal_35mm=None)
        elif (
            focal
            and entry.sensor_mm
            and not SHORTEST <= focal / entry.sensor_mm * FULL_FRAME_WIDTH <= LONGEST
        ):
            dropped[f"{focal:g} mm on a sensor {entry.sensor_mm:.3g} mm wide, which no lens has"].append(
                entry.name
            )
            entry = replace(entry, sensor_mm=None, focal_mm=None if not entry.model else focal)
        plausible.append(entry)
    for what, names in dropped.items():
        progress.warning(
            f"EXIF of {named(names)} gives a focal length of {what}: it is ignored, and the focal length is "
            "estimated from the photos."
        )
    return plausible


def zooms_included(entries: Iterable[PhotoEntry]) -> dict[tuple[Any, ...], float]:
    """By make, model, focal length and 35 mm equivalent: 1 if the equivalent already includes digital zoom.

    It does if the same lens has different equivalents at different zooms; if it has the same one, it does not.
    """
    seen: dict[tuple[Any, ...], dict[float, set[float]]] = defaultdict(lambda: defaultdict(set))
    for entry in entries:
        if entry.focal_35mm:
            lens = (entry.make, entry.model, entry.focal_mm)
            seen[lens][entry.focal_35mm].add(entry.digital_zoom or 1.0)
    return {
        (*lens, focal): 1.0 for lens, by in seen.items() for focal, zooms in by.items() if len(zooms) == 1
    }


def focal_prior(entry: PhotoEntry, included: dict[tuple[Any, ...], float]) -> tuple[float | None, FocalPrior]:
    """Focal length in pixels and its source: EXIF, COLMAP's sensor table, or none.

    included: from `zooms_included`.
    """
    zoom = entry.digital_zoom or 1.0
    if entry.focal_35mm:
        lens = (entry.make, entry.model, entry.focal_mm, entry.focal_35mm)
        factor = included.get(lens, zoom)
        return factor * focal_pixels(entry.focal_35mm, entry.width, entry.height), FocalPrior.EXIF
    if entry.focal_mm and entry.sensor_mm:
        return zoom * entry.focal_mm / entry.sensor_mm * max(entry.width, entry.height), FocalPrior.EXIF
    if entry.focal_mm and entry.model:
        from ..colmap.calls import pycolmap

        try:
            camera = pycolmap.infer_camera_from_image(Path(entry.source))
        except (RuntimeError, ValueError):  # a format that COLMAP does not read
            return None, FocalPrior.NONE
        if camera.has_prior_focal_length:
            longest = max(camera.width, camera.height)
            share = float(camera.mean_focal_length()) / longest
            # COLMAP reads the 35 mm equivalent too, including one that was dropped here.
            if SHORTEST <= FULL_FRAME_WIDTH * share <= LONGEST:
                return share * max(entry.width, entry.height) * zoom, FocalPrior.TABLE
    return None, FocalPrior.NONE
