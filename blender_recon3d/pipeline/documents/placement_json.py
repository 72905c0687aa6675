"""placement.json: how the model stands in the world, where z is up."""

from __future__ import annotations

from dataclasses import dataclass

from .codec import key


@dataclass(frozen=True, kw_only=True)
class GpsOrigin:
    """Where on Earth the world's origin lies."""

    latitude_longitude: tuple[float, float] = key(
        "degrees, of the point that east and north are counted from"
    )
    origin_east_north: tuple[float, float] = key("meters from there to the world's origin")


@dataclass(frozen=True, kw_only=True)
class PlacementDocument:
    version: int = key("of this format", 1)
    world_from_model: list[list[float]] = key("4 x 4, row by row: rotation, scale and translation")
    how: str = key("by what it was found, in a clause", "")
    gps: GpsOrigin | None = key(
        "where the world lies, if photos had GPS and `recon3d place --gps` was asked for", None, omit=True
    )
