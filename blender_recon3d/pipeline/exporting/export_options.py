"""What can be chosen of an export, without the packages that carry it out. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass

SIZES = ("full", "depth")
FACTORS = (2, 4, 8)


@dataclass(frozen=True)
class TrainingOptions:
    """size: of the photos: "full" as they were taken, or "depth" as they were made smaller for depth maps.

    factors: of the smaller copies, images_2 and so on; link: photos for "depth" are hard links to the workspace's.
    """

    size: str = SIZES[0]
    factors: tuple[int, ...] = FACTORS
    link: bool = False
