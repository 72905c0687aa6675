"""photos.json: a workspace's photos, their metadata, and the cameras that took them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ..errors import FileFormatError
from ..wording import Part
from .codec import key
from .document_files import read_document

LARGEST_SIDE = 1 << 20  # pixels


class PhotoState(StrEnum):
    USED = "used"
    SET_ASIDE = "set aside"


class FocalPrior(StrEnum):
    """Where a camera's first intrinsics come from."""

    GIVEN = "given"
    EXIF = "exif"
    TABLE = "table"
    ASSUMED = "assumed"
    FIT = "fit"  # for a camera that structure from motion split off
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class PhotoEntry:
    """One photo. Values from EXIF are empty or null if the file has none."""

    name: str = key("its file in `images`; empty if it is excluded", "")
    source: str = key("the original file")
    state: PhotoState = key("whether it is used")
    reason: str = key("why it is excluded, as a clause", "")
    width: int = key("pixels, upright", 0, minimum=0)
    height: int = key("pixels, upright", 0, minimum=0)
    make: str = key("the camera's maker, from EXIF", "")
    model: str = key("the camera's model, from EXIF", "")
    focal_mm: float | None = key("focal length", None)
    focal_35mm: float | None = key("focal length, 35 mm equivalent", None)
    sensor_mm: float | None = key("width of the sensor", None)
    digital_zoom: float | None = key("its factor, if in EXIF", None)
    orientation: int = key("EXIF's orientation, 1 to 8, which has been applied", 1)
    gps: tuple[float, float, float] | None = key(
        "latitude and longitude in degrees, altitude in meters", None
    )
    up: tuple[float, float, float] | None = key(
        "unit vector in the upright photo's camera (x right, y down, z forward), from a gimbal or an accelerometer",
        None,
    )
    side: str = key(
        "of the 360-degree panorama that it was cut from: front, right, back, left, up or down", ""
    )
    sensor: str = key("the camera of a rig that may have taken it, by its folder", "")
    shot: int | None = key(
        "number of the shot: photos of one rig with the same number were taken at once", None
    )
    black: float | None = key("the original's value that is black; null if it has 8 bits per channel", None)
    white: float | None = key("the original's value that is white; null if it has 8 bits per channel", None)
    light: bool = key("whether these values are linear in light", False)
    sharpness: float = key("of the image; compared among the photos of a capture", 0.0)
    camera: int | None = key("`id` of its camera", None)
    focal_prior_px: float | None = key("the first guess of its focal length, pixels", None)

    @property
    def used(self) -> bool:
        return self.state == PhotoState.USED


@dataclass(frozen=True, kw_only=True)
class CameraEntry:
    """One camera: the photos that share intrinsics."""

    id: int = key("its position in the list, from 1", minimum=1)
    model: str = key("COLMAP's name of the camera model")
    width: int = key("pixels", minimum=1, maximum=LARGEST_SIDE)
    height: int = key("pixels", minimum=1, maximum=LARGEST_SIDE)
    params: list[float] = key("the first guess of its intrinsics, pixels, in COLMAP's order")
    prior: FocalPrior = key("where the guess comes from")
    photos: int | None = key(
        "photos taken with it; null in report.json for a camera that structure from motion split off",
        0,
        minimum=0,
    )


@dataclass(frozen=True, kw_only=True)
class RigSensor:
    """A camera of a rig."""

    camera: int = key("`id` of the camera", minimum=1)
    cam_from_rig: list[list[float]] | None = key(
        "3 x 4 matrix from the first camera's frame to this one's; null where structure from motion finds it",
        None,
    )


@dataclass(frozen=True, kw_only=True)
class RigEntry:
    """Cameras that move together: the views of a panorama, or cameras fired at once."""

    sensors: list[RigSensor] = key("its cameras; the first one's frame is the rig's")


@dataclass(frozen=True, kw_only=True)
class PhotosDocument:
    version: int = key("of this format", 1)
    source: str = key("the folder that contains all photos", "")
    cameras: list[CameraEntry] = key("in the order of their `id`", list)
    photos: list[PhotoEntry] = key("in the order taken")
    rigs: list[RigEntry] = key("cameras that move together", list)

    @property
    def used(self) -> list[PhotoEntry]:
        return [photo for photo in self.photos if photo.used]


def panorama_cameras(document: PhotosDocument) -> set[int]:
    """The cameras of views that were cut from panoramas."""
    return {photo.camera for photo in document.used if photo.side and photo.camera is not None}


def read_photos(path: Path, advice: str | Part) -> PhotosDocument:
    """photos.json; UserError if it is missing, FileFormatError if it is inconsistent."""
    document = read_document(PhotosDocument, path, advice)
    for number, camera in enumerate(document.cameras):
        if camera.id != number + 1:
            raise FileFormatError(path, f"cameras[{number}].id is {camera.id}, not {number + 1}")
    for number, photo in enumerate(document.photos):
        if not photo.used:
            continue
        if photo.camera is not None and not 1 <= photo.camera <= len(document.cameras):
            raise FileFormatError(
                path, f"photos[{number}].camera is {photo.camera}, which is not in its cameras"
            )
        if not _is_file_name(photo.name):
            raise FileFormatError(path, f"photos[{number}].name is {photo.name!r}, not the name of a file")
    names = [photo.name for photo in document.used]
    if len(set(names)) != len(names):
        raise FileFormatError(path, "two of its photos have the same name")
    return document


def _is_file_name(name: str) -> bool:
    """Whether it is a plain file name, which cannot lead out of the folder images."""
    return bool(name) and name.isprintable() and not set(name) & set("/\\:") and name not in (".", "..")
