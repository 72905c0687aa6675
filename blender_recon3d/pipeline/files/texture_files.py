"""The names of a texture's files: NAME.png, or NAME.1001.png, NAME.1002.png, ... for the tiles of several (UDIM).

Standard library only.
"""

from __future__ import annotations

from pathlib import Path

FIRST = 1001  # UDIM's number of the tile with u in 0..1; the next has u in 1..2
COLOR, NORMAL, OCCLUSION, FILLED = "texture", "normal", "occlusion", "filled"
PNG, LIGHT = ".png", ".exr"
MAPS = (NORMAL, OCCLUSION, FILLED)
MAX_TILES = 10  # in a row of UDIM


def tile_file(folder: Path, name: str, tile: int, tiles: int, ending: str = PNG) -> Path:
    """The file of one tile, counted from 0."""
    return folder / (f"{name}{ending}" if tiles == 1 else f"{name}.{FIRST + tile}{ending}")


def tile_files(folder: Path, name: str, ending: str = PNG) -> list[Path]:
    """The files that there are, in the order of the tiles; NAME.png if there is none."""
    numbered = [folder / f"{name}.{FIRST + tile}{ending}" for tile in range(MAX_TILES)]
    tiles = [path for path in numbered if path.is_file()]
    return tiles or [folder / f"{name}{ending}"]
