"""earlier/earlier.json and earlier/STAGE.json: results that are kept while the photos are imported again."""

from __future__ import annotations

from dataclasses import dataclass

from .codec import key


@dataclass(frozen=True, kw_only=True)
class EarlierStage:
    fingerprint: str = key("as in state.json")
    needs: list[str] = key("fingerprints of the stages that it reads from")


@dataclass(frozen=True, kw_only=True)
class EarlierDocument:
    version: int = key("of this format", 1)
    photos: dict[str, str] = key("SHA-256 of each photo's copy and of its mask, by its name")
    stages: dict[str, EarlierStage] = key("by name")


@dataclass(frozen=True, kw_only=True)
class SamePhotosDocument:
    version: int = key("of this format", 1)
    photos: dict[str, str] = key("the earlier name of each unchanged photo, by its name")
