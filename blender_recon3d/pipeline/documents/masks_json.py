"""masks.json: where each photo's mask comes from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .codec import key


class MaskOrigin(StrEnum):
    FILE = "file"  # a file of the user's
    PAINTED = "painted"  # in Blender
    ALPHA = "alpha"
    SCREEN = "screen"  # a green or blue screen, recognized
    COLOR = "color"
    STILL = "still"  # a background that stands still
    EMPTY = "empty"  # a photo of the empty scene
    MODEL = "model"
    NETWORK = "network"
    LAID_OVER = "laid over"  # nothing but what is laid over all photos


@dataclass(frozen=True, kw_only=True)
class MaskEntry:
    origin: MaskOrigin = key("where it comes from")
    kept: float = key("share of the photo's pixels that are used", minimum=0, maximum=1)


@dataclass(frozen=True, kw_only=True)
class MasksDocument:
    version: int = key("of this format", 1)
    masks: dict[str, MaskEntry] = key("by the photos' names", dict)
    asked: str = key("the setting `masks`", "")
    own: dict[str, str] = key(
        "size and checksum of the masks in `painted_masks`, `model_masks` and `round_masks` that were read",
        dict,
    )
