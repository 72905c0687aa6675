"""Random scenes: scans on bumpy ground between bumpy walls, or one front in high relief, all covered with photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .cameras import Camera, walk_along, walk_round
from .surfaces import Scan, Surface, merge, place, sheet
from .textures import Atlas, pyramid

CELLS = 60  # of a sheet along a side: every number of tiles divides it
TILES = np.array([1, 2, 3, 4, 5, 6, 10, 12])
FRONTS = 0.25  # share of scenes that are a front


@dataclass
class Scene:
    """surface: of everything; atlas: its textures; cameras; sky: background color [3], 0 to 255."""

    surface: Surface
    atlas: Atlas
    cameras: list[Camera]
    sky: np.ndarray


def make_scene(
    rng: np.random.Generator,
    scans: Sequence[Scan],
    photos: Sequence[np.ndarray],
    size: tuple[int, int],
    views: int,
    around: bool = False,
) -> Scene:
    """A scene and its cameras. photos: uint8 RGB [H, W, 3]; size: (width, height); around: never a front, the cameras
    go all the way around one or two scans, and the ground has less texture."""
    if not around and rng.random() < FRONTS:
        return _front(rng, scans, photos, size, views)
    return _table(rng, scans, photos, size, views, around)


class _Textures:
    """Collects textures and numbers them."""

    def __init__(self, rng: np.random.Generator, photos: Sequence[np.ndarray]) -> None:
        self._rng, self._photos = rng, photos
        self.pyramids: list[list[np.ndarray]] = []

    def add(self, levels: list[np.ndarray]) -> int:
        self.pyramids.append(levels)
        return len(self.pyramids) - 1

    def tiles(self, rows: int, columns: int) -> list[list[int]]:
        """A patchwork of photos, each once; in every fifth case of one photo, which then repeats."""
        if self._rng.random() < 0.2:
            number = self._photo()
            return [[number] * columns] * rows
        return [[self._photo() for _ in range(columns)] for _ in range(rows)]

    def plain(self) -> int:
        """Hardly more than a color: a photo reduced to the light and shade of its parts."""
        photo = self._photos[int(self._rng.integers(len(self._photos)))]
        rough = cv2.resize(cv2.resize(photo, (3, 3), interpolation=cv2.INTER_AREA), (256, 256))
        noise = self._rng.normal(0, 6, (256, 256, 1))
        return self.add(
            pyramid(np.clip(0.3 * rough + 0.7 * rough.mean((0, 1)) + noise, 0, 255).astype(np.uint8))
        )

    def disguise(self, scan: Scan) -> int:
        """A texture for a scan: its own, a photo or plaster."""
        chance = self._rng.random()
        return self._photo() if chance < 0.3 else self.plain() if chance < 0.5 else self.add(scan.pyramid)

    def _photo(self) -> int:
        return self.add(pyramid(self._photos[int(self._rng.integers(len(self._photos)))]))


def _table(
    rng: np.random.Generator,
    scans: Sequence[Scan],
    photos: Sequence[np.ndarray],
    size: tuple[int, int],
    views: int,
    around: bool,
) -> Scene:
    """One to four scans, the cameras around them, ground below and four walls beyond the cameras."""
    textures = _Textures(rng, photos)
    bumps = rng.choice([0.0, 0.01, 0.03])
    number = int(rng.integers(1, 3 if around else 5))
    things, extent, height = _things(rng, scans, textures, number, around)
    cameras = walk_round(rng, extent, height, size, views, around)
    room = max(float(np.abs(camera.center[:2]).max()) for camera in cameras) * rng.uniform(1.15, 2.2) + 0.05
    tiles = _tiles(2 * room / (extent * rng.uniform(1.0, 4.0)))
    ground = sheet(
        -_bumps(rng, bumps),  # downwards, so that the objects stand on its highest places
        np.array([-room, -room, 0]),
        np.array([2 * room, 0, 0]),
        np.array([0, 2 * room, 0]),
        [[textures.plain()]] if around and rng.random() < 0.6 else textures.tiles(tiles, tiles),
    )
    top = rng.uniform(1.0, 2.0) * room
    walls = []
    for turn in range(4):
        tiles = _tiles(rng.uniform(1.5, 5.0))
        wall = sheet(
            _bumps(rng, 0.1 * room * rng.random()),
            np.array([-room, room, -0.05]),
            np.array([2 * room, 0, 0]),
            np.array([0, 0, top]),
            textures.tiles((tiles + 1) // 2, tiles),
        )
        walls.append(place(wall, 1, turn * np.pi / 2, np.zeros(3), 0))
    surface = merge([*things, ground, *walls])
    return Scene(surface, Atlas(textures.pyramids), cameras, rng.uniform(60, 250, 3))


def _things(
    rng: np.random.Generator, scans: Sequence[Scan], textures: _Textures, number: int, disguised: bool
) -> tuple[list[Surface], float, float]:
    """Scans next to each other around the origin, with the radius and the height of the group.

    disguised: half of them get another texture, a photo or plaster, so that there are more objects than scans.
    """
    placed: list[Surface] = []
    discs: list[tuple[np.ndarray, float]] = []
    extent, height = 0.0, 0.0
    for index in rng.choice(len(scans), size=number, replace=number > len(scans)):
        scan = scans[index]
        low, high = scan.surface.vertices.min(axis=0), scan.surface.vertices.max(axis=0)
        scale = rng.uniform(0.1, 0.28) / float((high - low).max())
        radius = scale * float(np.hypot(*(high - low)[:2])) / 2
        spot = np.zeros(2)
        while any(np.linalg.norm(spot - other) < radius + taken for other, taken in discs):
            spot = spot * 1.1 + rng.normal(0, 0.04, 2)
        discs.append((spot, radius))
        texture = textures.disguise(scan) if disguised else textures.add(scan.pyramid)
        turn = rng.uniform(0, 2 * np.pi)
        placed.append(place(scan.surface, scale, turn, np.array([*spot, 0], np.float32), texture))
    middle = np.mean([spot for spot, _ in discs], axis=0)
    for surface in placed:
        surface.vertices[:, :2] -= middle.astype(np.float32)
        extent = max(extent, float(np.linalg.norm(surface.vertices[:, :2], axis=1).max()))
        height = max(height, float(surface.vertices[:, 2].max()))
    return placed, extent, height


def _front(
    rng: np.random.Generator,
    scans: Sequence[Scan],
    photos: Sequence[np.ndarray],
    size: tuple[int, int],
    views: int,
) -> Scene:
    """A wall in high relief with ground and large objects in front of it, seen on a walk along it."""
    textures = _Textures(rng, photos)
    width, height = 4.0, rng.uniform(2.0, 3.5)
    tiles = _tiles(rng.uniform(3.5, 12.0))
    wall = sheet(
        _bumps(rng, rng.uniform(0.05, 0.6)),
        np.array([-width, 0, -0.3]),
        np.array([2 * width, 0, 0]),
        np.array([0, 0, height]),
        textures.tiles((tiles + 1) // 2, tiles),
    )
    floor = sheet(
        -_bumps(rng, 0.2),
        np.array([-width, -2 * width, 0]),
        np.array([2 * width, 0, 0]),
        np.array([0, 2 * width, 0]),
        textures.tiles(tiles, tiles),
    )
    surfaces = [wall, floor]
    for scan in (scans[index] for index in rng.choice(len(scans), size=int(rng.integers(0, 4)))):
        scale = rng.uniform(0.5, 1.2) / float(np.ptp(scan.surface.vertices, axis=0).max())
        spot = np.array([rng.uniform(-0.4, 0.4) * width, -rng.uniform(0.7, 1.2), 0])
        surfaces.append(
            place(scan.surface, scale, rng.uniform(0, 2 * np.pi), spot, textures.add(scan.pyramid))
        )
    cameras = walk_along(rng, width, height, size, views)
    return Scene(merge(surfaces), Atlas(textures.pyramids), cameras, rng.uniform(60, 250, 3))


def _tiles(number: float) -> int:
    """The nearest number of tiles that divides the cells."""
    return int(TILES[np.argmin(np.abs(np.log(TILES / number)))])


def _bumps(rng: np.random.Generator, height: float) -> np.ndarray:
    """A relief [CELLS + 1, CELLS + 1] between 0 and `height`: gentle hills, or blocks with steep sides."""
    side = CELLS + 1
    coarse = rng.random((int(rng.integers(4, 14)),) * 2).astype(np.float32)
    if rng.random() < 0.5:
        relief = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    else:
        relief = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_NEAREST)
        relief = cv2.GaussianBlur(relief, (0, 0), 0.7)
    return np.clip(relief, 0, 1) * height
