"""How large the photos' pixels are on the surface, and so how many texels show all of their detail: before any is
painted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..colmap.model_files import read_model
from ..files.texture_files import MAX_TILES
from .samples import GRAZING

MAX_VERTICES = 20_000  # more do not improve the figures
FILL = 0.6  # of a texture that is on the mesh (benchmarks/results/texture_uvs.md)


@dataclass(frozen=True)
class Density:
    """pixel: the side of the best photo's pixel on the surface, in the model's unit: the median by area; pixels: how
    many photo pixels cover the surface, each part as its best photo shows it."""

    pixel: float
    pixels: float

    def detail(self, size: int, tiles: int = 1) -> float:
        """The share of the photos' detail, along a line, that a texture of this size can show: 1 is all of it."""
        return float(min(1.0, np.sqrt(FILL * tiles * size**2 / max(self.pixels, 1.0))))

    def tiles(self, size: int) -> int:
        """The tiles that all of the photos' detail needs, at most MAX_TILES."""
        return int(np.clip(np.ceil(self.pixels / (FILL * size**2) - 0.05), 1, MAX_TILES))

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
        more = f"; {enough} tiles would show {self.detail(size, enough):.0%}" if enough > tiles else ""
        return f"{first}{of_tiles} {how} of the photos' detail{more}."

    def facts(self) -> dict[str, Any]:
        """As in mesh.json."""
        return asdict(self)


def density_of(model: Path, vertices: np.ndarray, normals: np.ndarray, faces: np.ndarray) -> Density:
    """For a mesh with vertices and unit normals [V, 3] and faces [F, 3], in the frame of COLMAP's model in a folder.

    What other parts of the mesh hide is not considered. A mesh that no photo shows has 0 pixels.
    """
    area = _areas(vertices, faces)
    chosen = np.arange(len(vertices))[:: max(1, len(vertices) // MAX_VERTICES)]
    points, facing = vertices[chosen], normals[chosen]
    best = np.zeros(len(chosen))
    reconstruction = read_model(model)
    for number in reconstruction.reg_image_ids():
        image = reconstruction.image(number)
        camera = reconstruction.camera(image.camera_id)
        pose = np.array(image.cam_from_world().matrix())
        there = points @ pose[:, :3].T + pose[:, 3]
        depth = np.maximum(there[:, 2], 1e-12)
        focal = camera.mean_focal_length()
        inside = (np.abs(there[:, 0]) * focal < depth * camera.width / 2) & (
            np.abs(there[:, 1]) * focal < depth * camera.height / 2
        )
        center = -pose[:, :3].T @ pose[:, 3]
        way = center - points
        cosine = (way * facing).sum(axis=1) / np.maximum(np.linalg.norm(way, axis=1), 1e-30)
        shown = inside & (there[:, 2] > 1e-9) & (cosine > GRAZING)
        best = np.maximum(best, np.where(shown, cosine * (focal / depth) ** 2, 0))
    seen = best > 0
    if not seen.any():
        return Density(0.0, 0.0)
    weight = area[chosen]
    total = float(area.sum() / max(float(weight.sum()), 1e-30))
    order = np.argsort(best[seen])
    along = np.cumsum(weight[seen][order])
    middle = best[seen][order][np.searchsorted(along, along[-1] / 2)]
    return Density(float(middle**-0.5), float((weight * best).sum() * total))


def _areas(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """A third of the area of a vertex's faces, [V]."""
    corners = vertices[faces].astype(np.float64)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1) / 6
    return np.bincount(faces.ravel(), np.repeat(area, 3), len(vertices))
