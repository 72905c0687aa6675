"""placement.json: the model's placement in the world, where z is up."""

from __future__ import annotations

from dataclasses import dataclass

from .codec import key


@dataclass(frozen=True, kw_only=True)
class GpsOrigin:
    """The world origin's location on Earth."""

    latitude_longitude: tuple[float, float] = key("degrees, of the origin of east and north")
    origin_east_north: tuple[float, float] = key("meters from there to the world's origin")
    altitude: float | None = key(
        "of the world's origin by the photos' GPS, meters; null if they have none", None
    )


@dataclass(frozen=True, kw_only=True)
class PlacementDocument:
    version: int = key("of this format", 1)
    world_from_model: list[list[float]] = key("4 x 4, row by row: rotation, scale and translation")
    how: str = key("how it was found, as a clause", "")
    gps: GpsOrigin | None = key("location on Earth, if placed by GPS", None, omit=True)
