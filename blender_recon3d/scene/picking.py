"""Find the point of an import's clouds and meshes under the mouse, in any mode, and the points inside a lasso.

A view is its matrix from world to clip space (4x4, `region_data.perspective_matrix`) and its size in pixels; positions
in it are pixels from the bottom left. Everything is in world coordinates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import bpy
import numpy as np
from mathutils import Matrix, Vector

from .cleaning.clean_modifier import cleaned_positions, positions
from .find_imports import CLEANED, CLOUD, SURFACES, is_hidden, kind_of, objects_of
from .stepwise import Steps
from .world_matrices import world_matrix

REACH = 14.0  # snapping distance in pixels from the mouse
BLOCK = 500_000  # points between two steps
MAX_POINTS = 400_000  # of a cloud that are searched at each mouse move


@dataclass(frozen=True)
class View:
    """clip_from_world: 4x4. width, height: pixels."""

    clip_from_world: np.ndarray
    width: int
    height: int

    def project(self, xyz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels [n, 2] and depth [n] (larger: farther; inf behind the view) of points [n, 3]."""
        matrix = self.clip_from_world
        w = xyz @ matrix[3, :3] + matrix[3, 3]
        with np.errstate(divide="ignore", invalid="ignore"):
            x = (xyz @ matrix[0, :3] + matrix[0, 3]) / w
            y = (xyz @ matrix[1, :3] + matrix[1, 3]) / w
            z = (xyz @ matrix[2, :3] + matrix[2, 3]) / w
        pixels = np.stack([(x + 1) / 2 * self.width, (y + 1) / 2 * self.height], axis=-1)
        behind = (w <= 0) | (z < -1)
        pixels[behind] = -1e6
        return pixels, np.where(behind, np.inf, z)

    def ray(self, x: float, y: float) -> tuple[Vector, Vector]:
        """Origin and unit direction of the ray through a pixel."""
        world_from_clip = np.linalg.inv(self.clip_from_world)
        ends = []
        for depth in (-1.0, 1.0):
            at = world_from_clip @ (2 * x / self.width - 1, 2 * y / self.height - 1, depth, 1.0)
            ends.append(Vector((at[:3] / at[3]).tolist()))
        return ends[0], (ends[1] - ends[0]).normalized()


@dataclass(frozen=True)
class Targets:
    """What can be picked. points: float [n, 3] of the clouds, in the world. meshes: objects with faces."""

    points: np.ndarray
    meshes: list[bpy.types.Object] = field(default_factory=list)


def shown_objects(collection: bpy.types.Collection) -> list[bpy.types.Object]:
    """The import's visible clouds and meshes."""
    return [obj for obj in objects_of(collection, CLOUD, CLEANED, *SURFACES) if not is_hidden(obj)]


def targets_of(collection: bpy.types.Collection) -> Targets:
    """The visible parts of an import, looked up once for many mouse moves."""
    clouds, meshes = [np.zeros((0, 3))], []
    for obj in shown_objects(collection):
        if len(obj.data.polygons):
            meshes.append(obj)
        else:
            xyz = cleaned_positions(obj) if kind_of(obj) == CLOUD else positions(obj.data)
            clouds.append(_moved(xyz[:: 1 + len(xyz) // MAX_POINTS], world_matrix(obj)))
    return Targets(np.concatenate(clouds), meshes)


def pick(targets: Targets, view: View, x: float, y: float) -> Vector | None:
    """The point under a pixel: a vertex or surface point of a mesh, or the nearest point of a cloud within REACH;
    the frontmost if there are several. None if there is nothing."""
    candidates = [*_on_meshes(targets, view, x, y), *_in_clouds(targets, view, x, y)]
    return min(candidates, key=lambda item: item[0])[1] if candidates else None


def inside_lasso(view: View, lasso: Sequence[Sequence[float]], xyz: np.ndarray) -> np.ndarray:
    """Which points [n, 3] are inside a closed line of pixels [m, 2], at any depth: bool [n]. Even-odd rule."""
    pixels, _ = view.project(xyz)
    corners = np.asarray(lasso, float).reshape(-1, 2)
    inside = np.zeros(len(xyz), bool)
    if len(corners) < 3:
        return inside
    low, high = corners.min(axis=0), corners.max(axis=0)
    near = np.flatnonzero(((pixels >= low) & (pixels <= high)).all(axis=1))
    x, y = pixels[near, 0], pixels[near, 1]
    odd = np.zeros(len(near), bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        crosses = (y0 > y) != (y1 > y)
        odd ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    inside[near] = odd
    return inside


def inside_in_steps(view: View, lasso: Sequence[Sequence[float]], obj: bpy.types.Object) -> Steps[np.ndarray]:
    """Which vertices of a cloud or mesh are inside a lasso: bool [n]."""
    xyz, matrix = positions(obj.data), world_matrix(obj)
    inside = np.zeros(len(xyz), bool)
    for start in range(0, len(xyz), BLOCK):
        yield None
        part = slice(start, start + BLOCK)
        inside[part] = inside_lasso(view, lasso, _moved(xyz[part], matrix))
    return inside


def world_positions(obj: bpy.types.Object) -> np.ndarray:
    """The vertices [n, 3] of a cloud or mesh, in the world."""
    return _moved(positions(obj.data), world_matrix(obj))


def _moved(xyz: np.ndarray, matrix: Matrix) -> np.ndarray:
    values = np.array(matrix)
    return xyz.astype(float) @ values[:3, :3].T + values[:3, 3]


def _on_meshes(targets: Targets, view: View, x: float, y: float) -> Iterator[tuple[float, Vector]]:
    origin, direction = view.ray(x, y)
    graph = bpy.context.evaluated_depsgraph_get()
    for obj in targets.meshes:
        matrix = world_matrix(obj)
        inverse = matrix.inverted_safe()
        start, along = inverse @ origin, (inverse.to_3x3() @ direction).normalized()
        hit, place, _, number = obj.ray_cast(start, along, depsgraph=graph)
        if hit:
            mesh = obj.evaluated_get(graph).data
            corners = [mesh.vertices[vertex].co for vertex in mesh.polygons[number].vertices]
            at = _snapped(view, [matrix @ corner for corner in corners], x, y) or matrix @ place
            yield float(view.project(np.array([at]))[1][0]), at


def _snapped(view: View, corners: list[Vector], x: float, y: float) -> Vector | None:
    """The corner within half of REACH from the mouse; None if there is none."""
    pixels, _ = view.project(np.array(corners))
    away = np.hypot(pixels[:, 0] - x, pixels[:, 1] - y)
    best = int(np.argmin(away))
    return corners[best] if away[best] <= REACH / 2 else None


def _in_clouds(targets: Targets, view: View, x: float, y: float) -> Iterator[tuple[float, Vector]]:
    pixels, depth = view.project(targets.points)
    away = np.hypot(pixels[:, 0] - x, pixels[:, 1] - y)
    near = np.flatnonzero(away <= REACH)
    if len(near):
        front = depth[near].min()
        # Of the points about as near as the frontmost, the one closest to the mouse: not a point on the far side.
        same = near[depth[near] <= front + 0.1 * (1.0 - front)]
        best = same[np.argmin(away[same])]
        yield float(depth[best]), Vector(targets.points[best].tolist())


def as_array(points: Sequence[Vector]) -> np.ndarray:
    """float [n, 3]."""
    return np.array([tuple(point) for point in points], float).reshape(-1, 3)
