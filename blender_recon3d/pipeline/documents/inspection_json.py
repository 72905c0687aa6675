"""The result of `recon3d inspect`, in the last event's `data`."""

from __future__ import annotations

from dataclasses import dataclass

from .codec import key
from .photos_json import FocalPrior


@dataclass(frozen=True, kw_only=True)
class UnfitPhoto:
    photo: str = key("the file")
    reason: str = key("why it will be excluded, as a clause")


@dataclass(frozen=True, kw_only=True)
class InspectedCamera:
    name: str = key("maker and model, from EXIF")
    photos: int = key("photos taken with it")
    width: int = key("pixels")
    height: int = key("pixels")
    focal_mm: float | None = key("focal length, from EXIF", None)
    prior: FocalPrior = key("where its first intrinsics come from")


@dataclass(frozen=True)
class Forecast:
    """Estimated time, memory and disk of a job at one quality on this machine."""

    seconds: dict[str, float] = key("for every stage, whether requested or not")
    memory: int = key("maximum bytes, up to the cloud")
    memory_of_surface: int = key("maximum bytes, with mesh and texture")
    disk: int = key("bytes for a dense reconstruction")


@dataclass(frozen=True, kw_only=True)
class InspectionDocument:
    version: int = key("of this format", 1)
    photos: int = key("photo files found")
    used: int = key("usable ones among them")
    videos: int = key("video files found")
    set_aside: list[UnfitPhoto] = key("the unusable ones")
    cameras: list[InspectedCamera] = key("the cameras of the photos")
    advice: list[str] = key("what to change before starting, one sentence each")
    packages: list[str] = key("optional packages that would read more of the files", list)
    quality: str = key("the requested one")
    until: str = key("the last requested stage")
    forecasts: dict[str, Forecast] = key("by quality")
