"""Boxes that are fused one after the other where the maps of all photos do not fit into memory at once.

Each box is fused from the maps of all photos that show something in it, so the cloud has no seams: which of a surface's
photos are at hand does not depend on the box. Boxes touch and do not overlap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..colmap.model_files import read_model
from .depth_maps import map_paths, read_map

SAMPLES = 2000  # of a depth map
MARGIN = 0.05  # of a box's size, around it: a photo of which samples lie there may show something inside
MAX_SPLITS = 16
MIN_GAIN = 0.95  # of the bytes of a box that half of it may still need; with more, splitting is of no use
EVERYWHERE = np.finfo(np.float32).max


@dataclass(frozen=True)
class Cell:
    """low, high float32 [3]: points with low <= xyz < high; names: of the photos that show something there."""

    low: np.ndarray
    high: np.ndarray
    names: list[str]

    def contains(self, xyz: np.ndarray) -> np.ndarray:
        """Which of points [N, 3] it has: bool [N]."""
        return np.asarray(((xyz >= self.low) & (xyz < self.high)).all(axis=1))


def one_cell(names: list[str]) -> Cell:
    """All of space."""
    return Cell(np.full(3, -EVERYWHERE, np.float32), np.full(3, EVERYWHERE, np.float32), names)


def cells(dense: Path, map_bytes: Mapping[str, int], limit: float) -> list[Cell]:
    """Boxes that together cover all of space, each with photos whose maps take at most `limit` bytes where possible.

    map_bytes: of each photo to fuse, by name.
    """
    samples = _samples(dense, list(map_bytes))
    return _split(one_cell(list(map_bytes)), samples, map_bytes, limit, MAX_SPLITS)


def _split(
    cell: Cell, samples: Mapping[str, np.ndarray], map_bytes: Mapping[str, int], limit: float, splits: int
) -> list[Cell]:
    def needed(one: Cell) -> int:
        return sum(map_bytes[name] for name in one.names)

    inside = np.concatenate([samples[name][cell.contains(samples[name])] for name in cell.names])
    if needed(cell) <= limit or not splits or len(inside) < 2:
        return [cell]
    halves = [_halves(cell, inside, samples, axis) for axis in range(3)]
    best = min(halves, key=lambda pair: max(map(needed, pair)))
    if max(map(needed, best)) > MIN_GAIN * needed(cell):
        return [cell]
    return [part for half in best for part in _split(half, samples, map_bytes, limit, splits - 1)]


def _halves(
    cell: Cell, inside: np.ndarray, samples: Mapping[str, np.ndarray], axis: int
) -> tuple[Cell, Cell]:
    """The cell cut at the median of its points `inside` [N, 3] along an axis."""
    middle = np.median(inside[:, axis]).astype(np.float32)
    margin = MARGIN * np.ptp(inside[:, axis])
    low, high = cell.low.copy(), cell.high.copy()
    high[axis] = low[axis] = middle
    halves = []
    for bottom, top in ((cell.low, high), (low, cell.high)):
        with np.errstate(over="ignore"):
            wide = Cell(bottom - margin, top + margin, [])
        names = [name for name in cell.names if wide.contains(samples[name]).any()]
        halves.append(Cell(bottom, top, names))
    return halves[0], halves[1]


def _samples(dense: Path, names: list[str]) -> dict[str, np.ndarray]:
    """Some points of each photo's depth map, float32 [N, 3], in the model's frame."""
    model = read_model(dense / "sparse")
    images = {image.name: image for image in map(model.image, model.reg_image_ids())}
    samples = {}
    for name in names:
        depth = read_map(map_paths(dense, name)[0])[..., 0]
        step = max(1, round((depth.size / SAMPLES) ** 0.5))
        rows, columns = np.nonzero(depth[::step, ::step] > 0)
        far = depth[::step, ::step][rows, columns].astype(np.float64)
        pixels = np.stack([columns * step, rows * step, np.ones(len(rows))], axis=1)
        image = images[name]
        rays = pixels @ np.linalg.inv(model.camera(image.camera_id).calibration_matrix()).T
        world = image.cam_from_world().inverse() * (rays * far[:, None])
        samples[name] = np.asarray(world, np.float32).reshape(-1, 3)
    return samples
