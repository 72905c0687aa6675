"""placed.json: the user's placement, kept in case the cameras are computed again."""

from __future__ import annotations

from dataclasses import dataclass

from .codec import key
from .placement_json import GpsOrigin


@dataclass(frozen=True, kw_only=True)
class PlacedDocument:
    version: int = key("of this format", 1)
    how: str = key("how the user placed it, as a clause")
    world_from_model: list[list[float]] = key("4 x 4, as in placement.json")
    gps: GpsOrigin | None = key("as in placement.json", None, omit=True)
    cameras: dict[str, list[list[float]]] = key(
        "rotation and center of each camera in that model's frame, 3 x 4, by photo name"
    )
