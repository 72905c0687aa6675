"""How much of the photos' detail a texture shows, and how many tiles would show all. Standard library only."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from .files.texture_files import MAX_TILES

FILL = 0.6  # of a texture that is on the mesh (benchmarks/results/texture_uvs.md)


@dataclass(frozen=True)
class Density:
    """pixel: the side of the best photo's pixel on the surface, in the model's unit: the median by area; pixels: how
    many photo pixels cover the surface, each part as its best photo shows it."""

    pixel: float
    pixels: float

    def detail(self, size: int, tiles: int = 1) -> float:
        """The share of the photos' detail, along a line, that a texture of this size can show: 1 is all of it."""
        return min(1.0, math.sqrt(FILL * tiles * size**2 / max(self.pixels, 1.0)))

    def tiles(self, size: int) -> int:
        """The tiles that all of the photos' detail needs, at most MAX_TILES."""
        return min(max(math.ceil(self.pixels / (FILL * size**2) - 0.05), 1), MAX_TILES)

    def sentence(self, size: int, tiles: int, unit: float = 0.0) -> str:
        """What a texture shows, and what would show all. unit: millimeters in the model's unit; 0: not known."""
        if not self.pixels:
            return "No photo faces the mesh."
        enough = self.tiles(size)
        shown = self.detail(size, tiles)
        of_tiles = (
            f"{tiles} tiles of {size:,} pixels show" if tiles > 1 else f"A texture of {size:,} pixels shows"
        )
        pixel, texel = self.pixel * unit, self.pixel * unit / shown
        first = f"The photos have {pixel:.3g} mm per pixel. " if unit else ""
        how = f"{texel:.3g} mm per texel, {shown:.0%}" if unit else f"{shown:.0%}"
        others = f"; {enough} tiles would show {self.detail(size, enough):.0%}" if enough > tiles else ""
        return f"{first}{of_tiles} {how} of the photos' detail{others}."

    def facts(self) -> dict[str, Any]:
        """As in mesh.json."""
        return asdict(self)
