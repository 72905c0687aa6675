"""The focal length in pixels that a photo's EXIF stands for, and whether to believe it.

EXIF is a witness: adapters write nonsense, and digital zoom may or may not be in the 35 mm equivalent. What no lens
has is dropped, and said; what is only wrong is found out by structure from motion.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..events import Progress
from ..text import named
from .image_files import focal_pixels

SHORTEST, LONGEST = 4.0, 3000.0  # 35 mm equivalents of a fisheye and of the longest superzoom
LEAST_CROP, MOST_CROP = (
    0.3,
    40.0,
)  # of the 35 mm equivalent by the focal length: large format, and the smallest sensors


def drop_absurd(entries: list[dict[str, Any]], progress: Progress) -> None:
    """Empties the fields of focal lengths that no lens has, with a warning that names them."""
    dropped: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        focal, equivalent = entry["focal_mm"], entry["focal_35mm"]
        if equivalent and not SHORTEST <= equivalent <= LONGEST:
            dropped[f"{equivalent:g} mm (35 mm equivalent), which no lens has"].append(entry["name"])
            entry["focal_35mm"] = None
            if focal == equivalent:
                entry["focal_mm"] = None
        elif focal and equivalent and not LEAST_CROP <= equivalent / focal <= MOST_CROP:
            dropped[
                f"{focal:g} mm and {equivalent:g} mm (35 mm equivalent), which no sensor makes of it"
            ].append(entry["name"])
            entry["focal_mm"] = entry["focal_35mm"] = None
    for what, names in dropped.items():
        progress.warning(
            f"EXIF of {named(names)} says a focal length of {what}: it is left out, and the focal length is found "
            "from the photos."
        )


def zooms_included(entries: Iterable[dict[str, Any]]) -> dict[tuple[Any, ...], float]:
    """By make, model, focal length and 35 mm equivalent: 1 where the equivalent has digital zoom in it already.

    It has where the same lens says another equivalent with another zoom; where it says the same one, it has not.
    """
    seen: dict[tuple[Any, ...], dict[float, set[float]]] = defaultdict(lambda: defaultdict(set))
    for entry in entries:
        if entry["focal_35mm"]:
            lens = (entry["make"], entry["model"], entry["focal_mm"])
            seen[lens][entry["focal_35mm"]].add(entry.get("digital_zoom") or 1.0)
    return {
        (*lens, focal): 1.0 for lens, by in seen.items() for focal, zooms in by.items() if len(zooms) == 1
    }


def focal_prior(entry: dict[str, Any], included: dict[tuple[Any, ...], float]) -> tuple[float | None, str]:
    """Focal length in pixels and where it comes from: EXIF, COLMAP's table of sensors, or nowhere.

    included: of `zooms_included`.
    """
    zoom = entry.get("digital_zoom") or 1.0
    if entry["focal_35mm"]:
        lens = (entry["make"], entry["model"], entry["focal_mm"], entry["focal_35mm"])
        factor = included.get(lens, zoom)
        return factor * focal_pixels(entry["focal_35mm"], entry["width"], entry["height"]), "exif"
    if entry["focal_mm"] and entry["sensor_mm"]:
        return zoom * entry["focal_mm"] / entry["sensor_mm"] * max(entry["width"], entry["height"]), "exif"
    if entry["focal_mm"] and entry["model"]:
        from ..colmap.calls import pycolmap

        try:
            camera = pycolmap.infer_camera_from_image(Path(entry["source"]))
        except (RuntimeError, ValueError):  # a format COLMAP does not read: then it knows nothing either
            return None, "none"
        if camera.has_prior_focal_length:
            scale = max(entry["width"], entry["height"]) / max(camera.width, camera.height)
            return float(camera.mean_focal_length()) * scale * zoom, "table"
    return None, "none"
