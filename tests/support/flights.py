"""Drone flights straight down over the scenes' box, with GPS in the photos' EXIF.

The scene's x is east, its z north; its ground is 4 x 4 units, of METERS each.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from blender_recon3d.pipeline.placing.gps import east_north
from tests.support.scenes import FOCAL, WIDTH, Face, render

METERS = 25.0
ORIGIN = (48.0, 11.0)  # latitude and longitude of the scene's origin
ALTITUDE = 520.0
DOWN = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # north at the photo's top


def degrees_at(east: float, north: float) -> tuple[float, float]:
    """Latitude and longitude of a place, meters from the origin."""
    step = 1e-3
    ((_, along),) = east_north(np.array([[ORIGIN[0] + step, ORIGIN[1]]]), np.array(ORIGIN))
    ((across, _),) = east_north(np.array([[ORIGIN[0], ORIGIN[1] + step]]), np.array(ORIGIN))
    return ORIGIN[0] + north / along * step, ORIGIN[1] + east / across * step


def write_flight(folder: Path, scene: list[Face]) -> list[np.ndarray]:
    """15 photos in three strips; returns their camera centers, in the scene's frame."""
    folder.mkdir(parents=True, exist_ok=True)
    centers = [
        np.array([x, -3.0 - 0.1 * ((number + strip) % 3), z])
        for strip, z in enumerate((-0.8, 0.0, 0.8))
        for number, x in enumerate((-1.0, -0.5, 0.0, 0.5, 1.0))
    ]
    for number, center in enumerate(centers):
        picture = render(scene, np.column_stack([DOWN, -DOWN @ center]))
        exif = Image.Exif()
        exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Recon", "Flyer"
        detail = exif.get_ifd(ExifTags.IFD.Exif)
        detail[ExifTags.Base.FocalLength] = FOCAL / 100  # of a sensor with 100 pixels per millimeter
        detail[ExifTags.Base.FocalPlaneXResolution] = 100.0
        detail[ExifTags.Base.FocalPlaneResolutionUnit] = 4
        detail[ExifTags.Base.ExifImageWidth] = WIDTH
        place = exif.get_ifd(ExifTags.IFD.GPSInfo)
        latitude, longitude = degrees_at(METERS * center[0], METERS * center[2])
        place[ExifTags.GPS.GPSLatitudeRef], place[ExifTags.GPS.GPSLongitudeRef] = "N", "E"
        place[ExifTags.GPS.GPSLatitude], place[ExifTags.GPS.GPSLongitude] = _dms(latitude), _dms(longitude)
        place[ExifTags.GPS.GPSAltitude] = ALTITUDE - METERS * center[1]
        image = Image.fromarray(np.ascontiguousarray(picture[..., ::-1]))
        image.save(folder / f"DJI_{number:04d}.jpg", quality=95, exif=exif)
    return centers


def _dms(angle: float) -> tuple[Fraction, Fraction, Fraction]:
    minutes = (angle - int(angle)) * 60
    seconds = round((minutes - int(minutes)) * 60 * 1_000_000)
    return Fraction(int(angle)), Fraction(int(minutes)), Fraction(seconds, 1_000_000)
