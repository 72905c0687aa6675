"""GeoTIFF: pictures with a place on the map, for GIS programs.

OGC 19-008r4, "OGC GeoTIFF Standard 1.1"; GDAL's tag for missing values. Pillow writes the TIFF.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, TiffImagePlugin, TiffTags

from .atomic_files import atomic_file

MISSING = -9999.0  # in heights
_PIXEL_SCALE, _TIEPOINT, _KEYS, _TEXTS, _NODATA = 33550, 33922, 34735, 34737, 42113
_MODEL_PROJECTED, _USER_DEFINED = 1, 32767
_METER = 9001  # EPSG


@dataclass(frozen=True)
class MapFrame:
    """A picture's place: north is up. west, north: map coordinates in meters of the upper left corner of the first
    pixel; pixel: its side in meters; epsg: of the map's projection, None for local coordinates; name: of the map."""

    west: float
    north: float
    pixel: float
    epsg: int | None
    name: str


def write_geotiff(path: Path, pixels: np.ndarray, frame: MapFrame) -> None:
    """pixels: uint8 [H, W, 4], color and opacity, or float32 [H, W], heights in meters with MISSING."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, kind, value in _geo_tags(frame):
        tags.tagtype[tag] = kind
        tags[tag] = value
    if pixels.ndim == 2:
        tags.tagtype[_NODATA] = TiffTags.ASCII
        tags[_NODATA] = f"{MISSING:g}"
    image = Image.fromarray(np.ascontiguousarray(pixels))
    with atomic_file(path) as part, open(part, "wb") as file:
        image.save(file, format="TIFF", compression="tiff_adobe_deflate", tiffinfo=tags)


def _geo_tags(frame: MapFrame) -> list[tuple[int, int, object]]:
    text = f"{frame.name}|"
    code = _USER_DEFINED if frame.epsg is None else frame.epsg
    keys = [
        (1024, 0, 1, _MODEL_PROJECTED),
        (1025, 0, 1, 1),  # a pixel is an area
        (1026, _TEXTS, len(text), 0),
        (3072, 0, 1, code),
        (3076, 0, 1, _METER),
    ]
    return [
        (_PIXEL_SCALE, TiffTags.DOUBLE, (frame.pixel, frame.pixel, 0.0)),
        (_TIEPOINT, TiffTags.DOUBLE, (0.0, 0.0, 0.0, frame.west, frame.north, 0.0)),
        (_KEYS, TiffTags.SHORT, (1, 1, 1, len(keys), *(value for key in keys for value in key))),
        (_TEXTS, TiffTags.ASCII, text),
    ]
