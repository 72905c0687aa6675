"""features/turns.json: the rotation of each photo's copy for a network, which depends on all photos."""

from __future__ import annotations

from dataclasses import dataclass

from .codec import key


@dataclass(frozen=True, kw_only=True)
class TurnsDocument:
    version: int = key("of this format", 1)
    photos: dict[str, int] = key("quarter turns anticlockwise, by the photo's name")
