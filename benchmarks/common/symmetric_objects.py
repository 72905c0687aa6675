"""Objects with similar sides, and some without, as photos with true cameras: tests for folded models.

Each object consists of flat pieces with painted textures, standing on z = 0, about two units across. A repeated side is
the same pieces rotated around the vertical axis. All randomness comes from the seed of the name.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from training.rendering.cameras import Camera, intrinsics, look_at
from training.rendering.scenes import Scene
from training.rendering.surfaces import Surface, merge, place, sheet
from training.rendering.textures import Atlas, pyramid
from training.renders import Light, render_view

SIZE = (560, 420)  # of a photo, pixels
FIELD = np.radians(50)
TEXTURE = 384  # pixels along a side of a texture
NOISE = 2.0  # standard deviation of the sensor's noise, gray values
Z = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Subject:
    """build: adds the object to a `Pieces`; grounds: whether ground and surroundings are visible; arcs: (first, last
    angle in degrees, photos) of each walk around it, or none, for a walk along a front; honest: nothing repeats."""

    name: str
    build: Callable[[Pieces], None]
    grounds: bool
    arcs: tuple[tuple[float, float, int], ...] = ((0, 360, 18),)
    honest: bool = False


class Pieces:
    """Collects surfaces and textures. Equal seeds give equal textures, however often they are requested."""

    def __init__(self) -> None:
        self.surfaces: list[Surface] = []
        self.pyramids: list[list[np.ndarray]] = []
        self._numbers: dict[tuple[int, float], int] = {}

    def texture(self, seed: int, contrast: float = 1.0) -> int:
        key = (seed, contrast)
        if key not in self._numbers:
            self._numbers[key] = len(self.pyramids)
            self.pyramids.append(pyramid(painted(seed, contrast)))
        return self._numbers[key]

    def wall(
        self, corner: Sequence[float], along: Sequence[float], across: Sequence[float], seed: int
    ) -> None:
        """A rectangle from its lower left corner, seen from where `along` is to the right and `across` up."""
        number = self.texture(seed)
        flat = np.zeros((9, 9))
        self.surfaces.append(sheet(flat, *(np.array(v, float) for v in (corner, along, across)), [[number]]))

    def gable(self, left: Sequence[float], right: Sequence[float], top: Sequence[float], seed: int) -> None:
        """A triangle, seen from where `left` is to the left."""
        corners = np.array([left, right, top], np.float32)
        normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
        normals = np.repeat(normal[None] / np.linalg.norm(normal), 3, axis=0).astype(np.float32)
        uv = np.array([[[0, 0], [1, 0], [0.5, 1]]], np.float32)
        number = np.array([self.texture(seed)])
        self.surfaces.append(Surface(corners, normals, np.array([[0, 1, 2]]), uv, number))

    def box(self, low: Sequence[float], high: Sequence[float], seeds: Sequence[int]) -> None:
        """Sides towards -y, +x, +y, -x, and the top, one seed each."""
        (x, y, z), (a, b, c) = low, high
        u, v, w = a - x, b - y, c - z
        self.wall((x, y, z), (u, 0, 0), (0, 0, w), seeds[0])
        self.wall((a, y, z), (0, v, 0), (0, 0, w), seeds[1])
        self.wall((a, b, z), (-u, 0, 0), (0, 0, w), seeds[2])
        self.wall((x, b, z), (0, -v, 0), (0, 0, w), seeds[3])
        self.wall((x, y, c), (u, 0, 0), (0, v, 0), seeds[4])

    def turned(self, times: int, add: Callable[[], None]) -> None:
        """The pieces of `add`, repeated `times` times around the vertical axis."""
        start = len(self.surfaces)
        add()
        made = self.surfaces[start:]
        for turn in range(1, times):
            angle = 2 * np.pi * turn / times
            self.surfaces += [place(surface, 1.0, angle, np.zeros(3), 0) for surface in made]


def painted(seed: int, contrast: float = 1.0) -> np.ndarray:
    """Noise at all scales with rectangles, discs and strokes on it, uint8 RGB [TEXTURE, TEXTURE, 3]."""
    rng = np.random.default_rng(seed)
    total = np.zeros((TEXTURE, TEXTURE, 3), np.float32)
    for cells in (4, 12, 36, 96):
        grid = rng.random((cells, cells, 3)).astype(np.float32)
        total += cv2.resize(grid, (TEXTURE, TEXTURE), interpolation=cv2.INTER_CUBIC)
    image = np.ascontiguousarray(70 + 30 * total)
    for _ in range(45):
        x, y, w, h = (int(value) for value in rng.integers(0, TEXTURE, 4))
        color = [float(value) for value in rng.uniform(20, 235, 3)]
        kind = rng.integers(3)
        if kind == 0:
            cv2.rectangle(image, (x, y), (x + w // 6 + 6, y + h // 6 + 6), color, -1)
        elif kind == 1:
            cv2.circle(image, (x, y), w // 14 + 4, color, -1, cv2.LINE_AA)
        else:
            cv2.line(image, (x, y), (x + w // 4 - 48, y + h // 4 - 48), color, 3, cv2.LINE_AA)
    mean = image.mean(axis=(0, 1))
    return np.clip(mean + contrast * (image - mean), 0, 255).astype(np.uint8)


def tower(pieces: Pieces) -> None:
    """Four equal sides with a bay in the middle of each."""

    def side() -> None:
        pieces.wall((-0.6, -0.6, 0), (1.2, 0, 0), (0, 0, 2.0), 11)
        pieces.box((-0.2, -0.75, 0.5), (0.2, -0.6, 1.2), (12, 13, 12, 13, 14))

    pieces.turned(4, side)
    pieces.wall((-0.6, -0.6, 2.0), (1.2, 0, 0), (0, 1.2, 0), 15)


def printed_box(pieces: Pieces) -> None:
    """The same print in front and behind, with different other sides."""
    pieces.box((-0.8, -0.4, 0), (0.8, 0.4, 1.4), (21, 22, 21, 23, 24))


def carton(pieces: Pieces) -> None:
    """The same label on all four sides."""
    pieces.box((-0.6, -0.6, 0), (0.6, 0.6, 1.2), (31, 31, 31, 31, 32))


def column(pieces: Pieces) -> None:
    """A round column whose pattern repeats six times."""

    def sixth() -> None:
        angles = np.pi / 3 * np.arange(5) / 4
        for part, (a, b) in enumerate(pairwise(angles)):
            first = np.array([np.cos(a), np.sin(a), 0]) * 0.6
            second = np.array([np.cos(b), np.sin(b), 0]) * 0.6
            pieces.wall(first, second - first, 2.0 * Z, 41 + part)

    pieces.turned(6, sixth)


def house(pieces: Pieces) -> None:
    """Gabled, with equal front and back and equal eaves."""

    def half() -> None:
        pieces.wall((-0.6, -0.9, 0), (1.2, 0, 0), (0, 0, 0.9), 51)
        pieces.gable((-0.6, -0.9, 0.9), (0.6, -0.9, 0.9), (0, -0.9, 1.5), 52)
        pieces.wall((0.6, -0.9, 0), (0, 1.8, 0), (0, 0, 0.9), 53)
        pieces.wall((0.6, -0.9, 0.9), (0, 1.8, 0), (-0.6, 0, 0.6), 54)
        pieces.box((-0.15, -1.0, 0), (0.15, -0.9, 0.5), (55, 56, 55, 56, 57))

    pieces.turned(2, half)


def temple(pieces: Pieces) -> None:
    """A hall with columns in front and behind under the same gable."""

    def half() -> None:
        pieces.wall((-0.7, -0.8, 0.1), (1.4, 0, 0), (0, 0, 1.0), 61)
        pieces.gable((-0.8, -1.0, 1.1), (0.8, -1.0, 1.1), (0, -1.0, 1.6), 62)
        pieces.wall((0.7, -0.8, 0.1), (0, 1.6, 0), (0, 0, 1.0), 63)
        pieces.wall((0.8, -1.0, 1.1), (0, 2.0, 0), (-0.8, 0, 0.5), 64)
        for x in (-0.65, -0.25, 0.15, 0.55):
            pieces.box((x, -1.0, 0.1), (x + 0.1, -0.9, 1.1), (65, 66, 65, 66, 67))

    pieces.turned(2, half)
    pieces.box((-0.85, -1.05, 0), (0.85, 1.05, 0.1), (68, 69, 68, 69, 70))


def pavilion(pieces: Pieces) -> None:
    """Six equal sides under a roof of six equal parts."""
    half = np.tan(np.pi / 6) * 0.9

    def side() -> None:
        pieces.wall((-half, -0.9, 0), (2 * half, 0, 0), (0, 0, 1.0), 71)
        pieces.gable((-half, -0.9, 1.0), (half, -0.9, 1.0), (0, 0, 1.6), 72)

    pieces.turned(6, side)


def chairs(pieces: Pieces) -> None:
    """A table and four equal chairs around it."""

    def chair() -> None:
        pieces.box((-0.25, -1.15, 0.4), (0.25, -0.65, 0.5), (81, 82, 81, 82, 83))
        pieces.box((-0.25, -1.2, 0.5), (0.25, -1.15, 1.1), (84, 85, 86, 85, 85))
        for x in (-0.25, 0.17):
            for y in (-1.15, -0.73):
                pieces.box((x, y, 0), (x + 0.08, y + 0.08, 0.4), (85, 85, 85, 85, 85))
        pieces.wall((-0.5, -0.5, 0.55), (1.0, 0, 0), (0, 0, 0.15), 87)
        pieces.gable((-0.5, -0.5, 0.7), (0.5, -0.5, 0.7), (0, 0, 0.7), 88)

    pieces.turned(4, chair)


def mug(pieces: Pieces) -> None:
    """Round, with the same picture in front and behind and plain glaze between."""

    def half() -> None:
        angles = np.pi * np.arange(9) / 8
        for part, (a, b) in enumerate(pairwise(angles)):
            first = np.array([np.cos(a), np.sin(a), 0]) * 0.7
            second = np.array([np.cos(b), np.sin(b), 0]) * 0.7
            pieces.wall(first, second - first, 1.4 * Z, 91 + part)

    pieces.turned(2, half)
    pieces.wall((0.7, -0.06, 0.3), (0.5, 0, 0), (0, 0, 0.8), 99)
    pieces.wall((1.2, 0.06, 0.3), (-0.5, 0, 0), (0, 0, 0.8), 100)


def front(pieces: Pieces) -> None:
    """A long front of six equal bays, with a different tree in front of two of them."""
    for bay in range(6):
        x = -3 + bay
        pieces.wall((x, 0, 0), (1, 0, 0), (0, 0, 1.6), 111)
        pieces.box((x + 0.3, -0.1, 0.5), (x + 0.7, 0, 1.2), (112, 113, 112, 113, 114))


def honest_box(pieces: Pieces) -> None:
    """No two sides are similar."""
    pieces.box((-0.7, -0.5, 0), (0.7, 0.5, 1.3), (121, 122, 123, 124, 125))


def honest_house(pieces: Pieces) -> None:
    """The shape of the house, with all walls different."""
    pieces.box((-0.6, -0.9, 0), (0.6, 0.9, 0.9), (131, 132, 133, 134, 135))
    pieces.gable((-0.6, -0.9, 0.9), (0.6, -0.9, 0.9), (0, -0.9, 1.5), 136)
    pieces.gable((0.6, 0.9, 0.9), (-0.6, 0.9, 0.9), (0, 0.9, 1.5), 137)
    pieces.wall((0.6, -0.9, 0.9), (0, 1.8, 0), (-0.6, 0, 0.6), 138)
    pieces.wall((-0.6, 0.9, 0.9), (0, -1.8, 0), (0.6, 0, 0.6), 139)


APART = ((-55.0, 55.0, 9), (125.0, 235.0, 9))  # in front and behind, and nothing in between
_ROUND = (
    ("tower", tower), ("printed box", printed_box), ("carton", carton), ("column", column), ("house", house),
    ("temple", temple), ("pavilion", pavilion), ("chairs", chairs), ("mug", mug),
)  # fmt: skip
SUBJECTS = (
    *(
        Subject(f"{name}, {'outdoors' if grounds else 'alone'}", build, grounds)
        for name, build in _ROUND
        for grounds in (False, True)
    ),
    Subject("house, front and back", house, True, APART),
    Subject("printed box, front and back", printed_box, False, APART),
    Subject("front of equal bays", front, True, ()),
    Subject("honest box, alone", honest_box, False, honest=True),
    Subject("honest box, outdoors", honest_box, True, honest=True),
    Subject("honest house, outdoors", honest_house, True, honest=True),
    Subject("honest house, half round", honest_house, False, ((0, 180, 12),), honest=True),
)


def make_scene(subject: Subject, size: tuple[int, int] = SIZE) -> Scene:
    """The object, its surroundings, and the cameras in the order of the walk."""
    rng = np.random.default_rng(zlib.crc32(subject.name.encode()))
    pieces = Pieces()
    subject.build(pieces)
    if subject.grounds:
        _surroundings(pieces)
    cameras = [camera for arc in subject.arcs for camera in _walk(rng, *arc, size)] or _along(rng, 18, size)
    sky = np.full(3, 225.0) if subject.grounds else np.full(3, 16.0)
    return Scene(merge(pieces.surfaces), Atlas(pieces.pyramids), cameras, sky)


def _surroundings(pieces: Pieces) -> None:
    """Ground of 4 x 4 slabs, and a house front at some distance on every side, all different."""
    for row in range(4):
        for slab in range(4):
            pieces.wall((-8 + 4 * slab, -8 + 4 * row, 0), (4, 0, 0), (0, 4, 0), 200 + 4 * row + slab)
    for number in range(8):
        angle = 2 * np.pi * number / 8
        outward = np.array([np.cos(angle), np.sin(angle), 0])
        right = np.array([outward[1], -outward[0], 0])
        height = 2.0 + 0.7 * (number * 5 % 8) / 8
        pieces.wall(10 * outward - 3.4 * right, 6.8 * right, height * Z, 300 + number)


def _walk(
    rng: np.random.Generator, first: float, last: float, photos: int, size: tuple[int, int]
) -> list[Camera]:
    step = (last - first) / (photos if last - first >= 360 else photos - 1)
    cameras = []
    for number in range(photos):
        angle = np.radians(first + step * number + rng.uniform(-2, 2) - 90)
        distance, height = rng.uniform(3.3, 3.7), rng.uniform(1.3, 1.8)
        eye = np.array([distance * np.cos(angle), distance * np.sin(angle), height])
        target = np.array([*rng.uniform(-0.08, 0.08, 2), rng.uniform(0.6, 0.8)])
        cameras.append(Camera(intrinsics(size, FIELD), look_at(eye, target), size))
    return cameras


def _along(rng: np.random.Generator, photos: int, size: tuple[int, int]) -> list[Camera]:
    cameras = []
    for number in range(photos):
        x = -2.6 + 5.2 * number / (photos - 1)
        eye = np.array([x, -2.6 + rng.uniform(-0.2, 0.2), rng.uniform(0.8, 1.2)])
        target = np.array([x + rng.uniform(-0.5, 0.5), 0, 0.8])
        cameras.append(Camera(intrinsics(size, FIELD), look_at(eye, target), size))
    return cameras


def write_photos(subject: Subject, folder: Path, size: tuple[int, int] = SIZE) -> None:
    """folder/photos/view_00.jpg ... and their true cameras in folder/truth, as Strecha's NAME.camera."""
    scene = make_scene(subject, size)
    rng = np.random.default_rng(zlib.crc32(subject.name.encode()) + 1)
    # The sun is fixed during a walk around; an object without surroundings is turned in front of a lamp.
    light = Light(np.array([0.5, -0.6, 0.62]), np.full(3, 0.75), np.full(3, 0.4 if subject.grounds else 0.0))
    if not subject.grounds:
        light = replace(light, ambient=np.full(3, 1.0))
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    (folder / "truth").mkdir(exist_ok=True)
    for number, camera in enumerate(scene.cameras):
        image = render_view(scene, camera, light).image.astype(np.float32)
        noisy = np.clip(np.rint(image + rng.normal(0, NOISE, image.shape)), 0, 255).astype(np.uint8)
        name = f"view_{number:02d}.jpg"
        jpeg = cv2.imencode(".jpg", noisy[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 93])[1]
        (folder / "photos" / name).write_bytes(jpeg.tobytes())
        rotation = camera.cam_from_world[:, :3].T
        rows = [*camera.intrinsics, np.zeros(3), *rotation, camera.center]
        lines = [" ".join(repr(float(value)) for value in row) for row in rows] + [f"{size[0]} {size[1]}"]
        (folder / "truth" / f"{name}.camera").write_text("\n".join(lines) + "\n")
