"""live/cameras.json: the cameras registered so far, while structure from motion runs; with points.ply beside it."""

from __future__ import annotations

from dataclasses import dataclass

from .codec import key


@dataclass(frozen=True, kw_only=True)
class LiveCamera:
    name: str = key("the photo's file in `images`", "")
    qvec: tuple[float, float, float, float] = key("cam_from_world's rotation: w, x, y, z")
    tvec: tuple[float, float, float] = key("cam_from_world's translation")
    width: int = key("pixels", minimum=1)
    height: int = key("pixels", minimum=1)
    focal: float = key("pixels, mean of both axes")


@dataclass(frozen=True, kw_only=True)
class LiveDocument:
    version: int = key("of this format", 1)
    world_from_model: list[list[float]] = key("4 x 4, as in placement.json")
    cameras: list[LiveCamera] = key("in no particular order")
