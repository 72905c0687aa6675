"""Options of an export, without the packages that implement it. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass

SIZES = ("full", "depth")
FACTORS = (2, 4, 8)


@dataclass(frozen=True)
class TrainingOptions:
    """size: of the photos: "full", or "depth" for the smaller size used for depth maps.

    factors: of the smaller copies, images_2 and so on. link: photos for "depth" are hard links to the workspace's.
    """

    size: str = SIZES[0]
    factors: tuple[int, ...] = FACTORS
    link: bool = False
