"""registration.json: the outcome of structure from motion for each photo, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .codec import key


class RegistrationState(StrEnum):
    REGISTERED = "registered"
    OTHER_MODEL = "other model"
    NOT_REGISTERED = "not registered"


@dataclass(frozen=True, kw_only=True)
class PhotoRegistration:
    state: RegistrationState = key("whether it has a pose in the main model, in another, or in none")
    reason: str = key("why it is not in the main model, as a clause", "")
    model: int | None = key("N of the model `sparse/N` that it is in", None, minimum=0)
    points: int = key("sparse points seen in it", 0, minimum=0)
    error: float | None = key("mean reprojection error, pixels", None, minimum=0)

    @property
    def registered(self) -> bool:
        return self.state == RegistrationState.REGISTERED


@dataclass(frozen=True, kw_only=True)
class ModelSummary:
    photos: int = key("registered in it", 0, minimum=0)
    points: int = key("sparse points", 0, minimum=0)
    error: float = key("mean reprojection error, pixels", 0.0)
    track_length: float = key("mean number of photos that see a point", 0.0)


@dataclass(frozen=True, kw_only=True)
class RegistrationDocument:
    version: int = key("of this format", 1)
    models: list[ModelSummary] = key("in the order of `sparse/N`: the main one first", list)
    photos: dict[str, PhotoRegistration] = key("by their names in `images`", dict)
