"""An orthophoto and a height map of the textured mesh, seen straight down, as GeoTIFF.

On the map (UTM, WGS 84) if the model was placed by GPS, otherwise in the coordinates of the scene.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..documents.document_files import read_document
from ..documents.placement_json import PlacementDocument
from ..errors import UserError
from ..files.geotiff import MISSING, MapFrame, write_geotiff
from ..placing.map_grid import MapGrid
from ..texturing.raster import highest, planes
from ..texturing.textured_mesh import TexturedMesh
from ..wording import run_stage
from ..workspace import Workspace
from .georeference import map_of, on_map
from .picture import sampled

MAX_PIXELS = 60_000_000  # 1 GB while it is drawn
ROUND = np.array([1.0, 2.0, 2.5, 5.0, 10.0])  # pixel sizes, times powers of ten
STRIP = 4_000_000  # pixels colored at once
LOCAL = "local coordinates"


def height_map_of(path: Path) -> Path:
    """The height map beside an orthophoto."""
    return path.with_name(f"{path.stem}_height{path.suffix}")


def write_orthophoto(
    workspace: Workspace, path: Path, mesh: TexturedMesh, texture: np.ndarray, pixel: float = 0.0
) -> list[Path]:
    """Write both pictures; returns their paths. mesh: in the world, z up. texture: uint8 RGB, its first row at v = 1.
    pixel: side of a pixel in meters, 0: as fine as the texture. UserError if there would be too many."""
    placement = read_document(PlacementDocument, workspace.placement, run_stage("sfm"))
    corners, grid = _on_map(mesh.positions.astype(np.float64), placement)
    low, high = corners[:, :2].min(axis=0), corners[:, :2].max(axis=0)
    finest = float(np.sqrt(np.prod(high - low) / MAX_PIXELS))
    if pixel and pixel < finest:
        raise UserError(
            f"Pixels of {pixel:g} m are too many for an area of {high[0] - low[0]:.0f} x {high[1] - low[1]:.0f} m: use "
            f"{_rounded(finest):g} or more.",
            2,
        )
    pixel = pixel or _rounded(max(finest, _texel(mesh, len(texture))))
    west, north = np.floor(low[0] / pixel) * pixel, np.ceil(high[1] / pixel) * pixel
    width, height = (int(np.ceil(extent / pixel)) for extent in (high[0] - west, north - low[1]))
    frame = MapFrame(
        float(west), float(north), pixel, grid.epsg if grid else None, grid.name if grid else LOCAL
    )
    flat = np.column_stack([(corners[:, 0] - west) / pixel, (north - corners[:, 1]) / pixel])
    face, heights = from_above(flat, corners[:, 2], mesh.faces, max(1, width), max(1, height))
    write_geotiff(path, _colors(mesh, texture, flat, face), frame)
    write_geotiff(height_map_of(path), heights, frame)
    return [path, height_map_of(path)]


def from_above(
    flat: np.ndarray, z: np.ndarray, faces: np.ndarray, width: int, height: int
) -> tuple[np.ndarray, np.ndarray]:
    """The highest face at each pixel, int32 [H, W] (-1: none), and its height there, float32 [H, W] (MISSING: none).
    flat [V, 2]: vertices in pixels, z [V]: their heights."""
    base = float(z.min(initial=0.0)) - 1.0  # so that all levels are positive
    face, level = highest(flat[faces], z[faces] - base, np.arange(len(faces)), width, height)
    heights = np.where(face >= 0, level + np.float32(base), np.float32(MISSING))
    return face, heights.astype(np.float32)


def _on_map(world: np.ndarray, placement: PlacementDocument) -> tuple[np.ndarray, MapGrid | None]:
    """East, north and height [N, 3], and the zone of UTM; the world's own coordinates without GPS."""
    if placement.gps is None:
        return world, None
    return on_map(world, placement.gps), map_of(placement.gps)


def _texel(mesh: TexturedMesh, size: int) -> float:
    """The side of a texel on the surface, median over the area."""
    space = mesh.positions[mesh.faces]
    area = np.linalg.norm(np.cross(space[:, 1] - space[:, 0], space[:, 2] - space[:, 0]), axis=1)
    chart = mesh.uv[mesh.faces].astype(np.float64) * size
    one, other = chart[:, 1] - chart[:, 0], chart[:, 2] - chart[:, 0]
    texels = np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0])
    return float(np.sqrt(area.sum() / max(float(texels.sum()), 1e-12)))


def _rounded(pixel: float) -> float:
    """The next round number that is not smaller."""
    power = 10.0 ** np.floor(np.log10(pixel))
    step = ROUND[np.searchsorted(ROUND, pixel / power * (1 - 1e-9))]
    return float(f"{step * power:.6g}")


def _colors(mesh: TexturedMesh, texture: np.ndarray, flat: np.ndarray, face: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 4]; transparent where there is no face."""
    height, width = face.shape
    picture = np.zeros((height, width, 4), np.uint8)
    rows = max(1, STRIP // width)
    plane = planes(flat[mesh.faces], mesh.uv[mesh.faces].astype(np.float64))
    for top in range(0, height, rows):
        row, column = np.nonzero(face[top : top + rows] >= 0)
        if not len(row):
            continue
        hit = plane[face[top : top + rows][row, column]]
        uv = hit[..., 0] * (column + 0.5)[:, None] + hit[..., 1] * (row + top + 0.5)[:, None] + hit[..., 2]
        picture[row + top, column, :3] = np.rint(255 * sampled(texture, np.clip(uv, 0, 1)))
        picture[row + top, column, 3] = 255
    return picture
