"""round_masks/rounds.json: the rounds of photos between which the subject was turned over."""

from __future__ import annotations

from dataclasses import dataclass

from .codec import key


@dataclass(frozen=True, kw_only=True)
class RoundsDocument:
    version: int = key("of this format", 1)
    photos: dict[str, str] = key("SHA-256 of each photo's copy, by its name, when the masks were drawn")
    rounds: list[list[str]] = key("the photos' names of each round")
    joined: bool = key("false if the masks did not join the rounds, and are not used", True)
