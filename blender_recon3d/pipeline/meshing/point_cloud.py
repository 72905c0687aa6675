"""The dense cloud as input of meshing: positions, normals, colors and views, thinned to a memory limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..errors import UserError
from ..files.far_origin import offset_of
from ..files.ply import read_vertices, with_usual_normals
from ..files.vertex_colors import vertex_colors
from ..wording import Sentence, run_stage, with_option

MIN_POINTS = 100  # fewer do not form a surface
KEY_BITS = 20  # per voxel coordinate: three fit into an int64
SAMPLE = 100_000  # points used to locate the cloud
HALVINGS = (
    0.8  # largest ratio of the number of points from one voxel size to the next, so that the search ends
)


@dataclass(frozen=True)
class Cloud:
    """xyz float32 [N, 3] in the model's frame minus `offset`, unit normals float32 [N, 3], rgb uint8 [N, 3] or None,
    views [N].

    views: the number of photos that saw each point, uint8; 0 if the file does not say. offset: float64 [3], zero except
    for clouds in map coordinates, which single precision would quantize. step: the size of these quantization steps if
    the file already has them, being in single precision; else 0.
    """

    xyz: np.ndarray
    normals: np.ndarray
    rgb: np.ndarray | None
    views: np.ndarray
    offset: np.ndarray = field(default_factory=lambda: np.zeros(3))
    step: float = 0.0

    def __len__(self) -> int:
        return len(self.xyz)

    def select(self, keep: np.ndarray) -> Cloud:
        """The points selected by a mask or indices."""
        rgb = None if self.rgb is None else self.rgb[keep]
        return Cloud(self.xyz[keep], self.normals[keep], rgb, self.views[keep], self.offset, self.step)

    @property
    def in_model(self) -> np.ndarray:
        """The points in the model's frame [N, 3]: float32, or float64 if they are far from its origin."""
        return self.xyz + self.offset if self.offset.any() else self.xyz


def read_cloud(path: Path) -> Cloud:
    """The cloud in a PLY file, without points that are not finite or have no normal.

    UserError, one sentence, if the file is missing or damaged, or has too few points or no normals.
    """
    vertices = with_usual_normals(read_vertices(path))
    names = set(vertices.dtype.names or ())
    for needed, what in ((("x", "y", "z"), "positions"), (("nx", "ny", "nz"), "normals")):
        if not names.issuperset(needed):
            raise UserError(
                Sentence(
                    f"{path} has points without {what}, so no surface can be built: ", run_stage("dense"), "."
                )
            )
    offset = _offset(vertices)
    xyz, normals = _block(vertices, "x", "y", "z", offset=offset), _block(vertices, "nx", "ny", "nz")
    length = np.linalg.norm(normals, axis=1)
    with np.errstate(invalid="ignore"):
        valid = np.isfinite(xyz).all(axis=1) & np.isfinite(length) & (length > 1e-6)
    if valid.sum() < MIN_POINTS:
        raise UserError(
            Sentence(
                f"{path} contains {valid.sum()} points, too few for a surface: take more photos that overlap, or ",
                run_stage("dense"),
                " ",
                with_option("min_views", "2"),
                ".",
            )
        )
    views = vertices["views"].astype(np.uint8) if "views" in names else np.zeros(len(xyz), np.uint8)
    normals /= np.where(valid, length, 1)[:, None]
    single = any(vertices.dtype[name] == np.float32 for name in "xyz")
    step = float(np.spacing(np.abs(offset).max().astype(np.float32))) if single and offset.any() else 0.0
    return Cloud(xyz, normals, vertex_colors(vertices), views, offset, step).select(valid)


def in_frame_of(cloud: Cloud, offset: np.ndarray) -> Cloud | None:
    """A cloud in map coordinates less the offset [3] of cameras in the same ones; None where it is elsewhere."""
    apart = cloud.offset - offset
    if (
        not (cloud.offset.any() and offset.any())
        or offset_of(cloud.xyz[:SAMPLE].astype(np.float64) + apart).any()
    ):
        return None
    return replace(cloud, xyz=(cloud.xyz + apart).astype(np.float32), offset=np.zeros(3))


def _offset(vertices: np.ndarray) -> np.ndarray:
    """The offset to subtract from the positions."""
    some = vertices[:: max(1, len(vertices) // SAMPLE)]
    return offset_of(np.stack([some[name] for name in "xyz"], axis=1).astype(np.float64))


def _block(vertices: np.ndarray, *names: str, offset: Sequence[float] | np.ndarray = (0, 0, 0)) -> np.ndarray:
    block: np.ndarray = np.empty((len(vertices), len(names)), np.float32)
    for column, name in enumerate(names):
        block[:, column] = vertices[name] - offset[column] if offset[column] else vertices[name]
    return block


def thinned(cloud: Cloud, max_points: int) -> Cloud:
    """The cloud, or the means of its points in voxels just large enough to leave at most `max_points`.

    A mean of several noisy points is closer to the surface than each of them. `views` of a voxel is its largest.
    """
    if len(cloud) <= max_points:
        return cloud
    low = cloud.xyz.min(axis=0)
    extent = float((cloud.xyz.max(axis=0) - low).max())
    # A surface about as wide as its box fills this many voxels; start too fine, since the size only grows.
    size = max(extent / (4 * max_points**0.5), extent / 2 ** (KEY_BITS - 1))
    keys = voxel_keys(cloud.xyz, low, size)
    while (number := len(np.unique(keys))) > max_points:
        # The number of voxels of a surface falls with the square of their size.
        size *= max((number / max_points) ** 0.5, HALVINGS**-0.5) * 1.01
        keys = voxel_keys(cloud.xyz, low, size)
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    del keys
    normals = _sums(cloud.normals, order, starts)
    length = np.linalg.norm(normals, axis=1)
    counts = np.diff(starts, append=len(order))
    thin = Cloud(
        _sums(cloud.xyz, order, starts) / counts[:, None].astype(np.float32),
        normals / np.maximum(length, 1e-6)[:, None],
        None
        if cloud.rgb is None
        else np.rint(_sums(cloud.rgb, order, starts) / counts[:, None]).astype(np.uint8),
        np.maximum.reduceat(cloud.views[order], starts),
        cloud.offset,
        cloud.step,
    )
    return thin.select(length > 1e-3 * counts)  # drops the mixed sides of a thin sheet, which has no front


def voxel_keys(xyz: np.ndarray, low: np.ndarray, size: float) -> np.ndarray:
    """int64 [N]: the key of each point's voxel; voxels have edges of `size` and start at `low`."""
    keys = np.zeros(len(xyz), np.int64)
    for axis in range(3):
        keys = (keys << KEY_BITS) | ((xyz[:, axis] - low[axis]) / size).astype(np.int64)
    return keys


def _sums(values: np.ndarray, order: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Sums over the runs that begin at `starts`, by column, since a float64 copy of everything would be large."""
    columns = [
        np.add.reduceat(values[order, axis].astype(np.float64), starts) for axis in range(values.shape[1])
    ]
    return np.stack(columns, axis=1).astype(np.float32)
